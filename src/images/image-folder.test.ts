import assert from 'node:assert/strict'
import { mkdir, mkdtempDisposable, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { describe, it } from 'node:test'
import { ConfigError, FileError, FormatError, type AttuneError } from '../errors.ts'
import { readCaptionedImages } from './image-folder.ts'
import { LeftOut } from './left-out.ts'

const usual = { imageColumn: 'file_name', captionColumn: 'text' }

/** Images (empty files: only their names matter here) with their captions, and what is said about the rest. */
async function list(files: Readonly<Record<string, string>>, place = '', columns = usual) {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'attune-'))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder.path, name)), { recursive: true })
    await writeFile(join(folder.path, name), text)
  }
  const leftOut = new LeftOut('images')
  const images = await readCaptionedImages(join(folder.path, place), columns, leftOut)
  const said: string[] = []
  leftOut.tell({ write: (text) => said.push(...text.split('\n').filter(Boolean)) })
  return {
    images: images.map(({ file, caption, index }) => [relative(folder.path, file), caption, index]),
    said,
  }
}
const line = (file_name: unknown, text: unknown) => `${JSON.stringify({ file_name, text })}\n`
const pictures = { 'a.png': '', 'b.jpg': '', 'sub/c.webp': '', 'two words.png': '' }

/** As they stand in a table, and as they are to be read. */
const oddCaptions = [
  ['"a ""quoted"", comma\'d; prompt"', 'a "quoted", comma\'d; prompt'],
  ['"two\nlines, \r\nor three"', 'two\nlines, \r\nor three'],
  ['שני עיגולים على خلفية', 'שני עיגולים على خلفية'],
  ['dog 🐕‍🦺', 'dog 🐕‍🦺'],
  ['a 5" pipe', 'a 5" pipe'],
  ['=1+1', '=1+1'],
  [' "<b>" ', '"<b>"'],
] as const

describe('a folder of captioned images', () => {
  it('is read by its metadata.jsonl', async () => {
    const metadata = `\uFEFF${line('a.png', ' one ')}\r\n\n${line('sub/c.webp', 'three')}${line('./b.jpg', 'two')}`
    const { images, said } = await list({ ...pictures, 'metadata.jsonl': metadata })
    assert.deepEqual(images, [
      ['a.png', 'one', 1],
      ['sub/c.webp', 'three', 4],
      ['b.jpg', 'two', 5],
    ])
    assert.deepEqual(said, [])
  })

  it('is read by its metadata.csv, in any case and with any comma', async () => {
    const metadata = '\uFEFFText;File_Name;Source\r\none;a.png;x\r\n\r\ntwo;two words.png;\r\n'
    assert.deepEqual((await list({ ...pictures, 'metadata.csv': metadata })).images, [
      ['a.png', 'one', 2],
      ['two words.png', 'two', 4],
    ])
  })

  it('keeps odd captions', async () => {
    const read = oddCaptions.map(([, caption]) => ['a.png', caption])
    const table = oddCaptions.map(([stated]) => `a.png,${stated}\n`).join('')
    const jsonl = oddCaptions.map(([, caption]) => line('a.png', caption)).join('')
    const files = [
      ['metadata.csv', `file_name,text\n${table}`],
      ['metadata.jsonl', jsonl],
    ]
    for (const [name, text] of files) {
      const { images } = await list({ ...pictures, [name]: text })
      assert.deepEqual(
        images.map(([file, caption]) => [file, caption]),
        read,
      )
    }
  })

  it('has lists in folders below, in the order of their names', async () => {
    const files = {
      'train/z/metadata.csv': 'file_name,text\ni.png,z\n',
      'train/metadata.jsonl': line('i.png', 'train'),
      'more/metadata.jsonl': line('i.png', 'more'),
      'train/i.png': '',
      'train/z/i.png': '',
      'more/i.png': '',
    }
    assert.deepEqual((await list(files)).images, [
      ['more/i.png', 'more', 1],
      ['train/i.png', 'train', 3],
      ['train/z/i.png', 'z', 6],
    ])
  })

  it('is refused without a list, and with two', async () => {
    const metadata = { 'x/metadata.jsonl': line('a.png', 'one'), 'x/metadata.csv': 'file_name,text\n' }
    await assert.rejects(list(pictures), { code: 'format', received: 'a folder without one' })
    await assert.rejects(list(metadata), { code: 'format', received: 'both' })
    await assert.rejects(list(pictures, 'none'), FileError)
  })
})

describe('a list by its own name', () => {
  const columns = { imageColumn: 'image', captionColumn: 'Caption' }

  it('has paths relative to it, and columns of any name', async () => {
    const files = {
      ...pictures,
      'list.csv': 'image,caption,file_name\na.png,one,b.jpg\n',
      'list.JSONL': `${JSON.stringify({ image: 'sub/c.webp', Caption: 'three' })}\n`,
      'sub/list.csv': 'image,caption\nc.webp,three\n',
    }
    assert.deepEqual((await list(files, 'list.csv', columns)).images, [['a.png', 'one', 2]])
    assert.deepEqual((await list(files, 'list.JSONL', columns)).images, [['sub/c.webp', 'three', 1]])
    assert.deepEqual((await list(files, 'sub/list.csv', columns)).images, [['sub/c.webp', 'three', 2]])
  })

  it('is refused as a whole where nothing can be read from it', async () => {
    const cases: readonly (readonly [string, string, abstract new (...args: never) => AttuneError, RegExp])[] = [
      ['list.txt', '', ConfigError, /expected a folder, or a file named \.csv or \.jsonl, received a file named \.txt/],
      ['list', '', ConfigError, /received a file without an ending/],
      ['list.csv', '', FormatError, /^list\.csv:1 image: .*received an empty file/],
      [
        'list.csv',
        'image,text\na.png,one\n',
        FormatError,
        /^list\.csv:1 caption: .*received image, text — .*--caption-c/,
      ],
      ['list.csv', 'image,caption\na.png,"one\n', FormatError, /balanced quotes/],
    ]
    for (const [name, text, kind, message] of cases) {
      await assert.rejects(list({ ...pictures, [name]: text }, name, columns), (error) => {
        assert.ok(error instanceof kind)
        assert.match(error.message, message)
        return true
      })
    }
  })
})

describe('rows that cannot be used', () => {
  it('are named with file and line, and the others keep their numbers', async () => {
    const broken: readonly (readonly [string, string])[] = [
      ['{"file_name": "a.png"', 'metadata.jsonl:1: expected JSON'],
      ['["a.png"]', 'metadata.jsonl:2 file_name: expected a file name, received nothing'],
      ['null', 'metadata.jsonl:3 file_name: expected a file name, received nothing'],
      ['{"text": "one"}', 'metadata.jsonl:4 file_name: expected a file name, received nothing'],
      ['{"file_name": "a.png"}', 'metadata.jsonl:5 text: expected a caption, received nothing'],
      ['{"file_name": "a.png", "text": " "}', 'metadata.jsonl:6 text: expected a caption, received " "'],
      ['{"file_name": "a.png", "text": ["x"]}', 'metadata.jsonl:7 text: expected a caption, received ["x"]'],
      [line('none.png', 'x').trim(), 'metadata.jsonl:8 file_name: expected an image in the folder'],
      [line('sub', 'x').trim(), 'metadata.jsonl:9 file_name: expected an image in the folder'],
    ]
    const text = `${broken.map(([row]) => row).join('\n')}\n${line('a.png', 'one')}`
    const { images, said } = await list({ ...pictures, 'metadata.jsonl': text })
    assert.deepEqual(images, [['a.png', 'one', broken.length + 1]])
    broken.forEach(([, message], i) => assert.ok(said[i].startsWith(`images: left out ${message}`), said[i]))
  })

  it('are those that leave the folder', async () => {
    const outside = [
      '../a.png',
      'sub/../../a.png',
      '..',
      '/etc/passwd',
      'C:\\a.png',
      '..\\a.png',
      'sub/../a.png',
      'a\0',
    ]
    const { images, said } = await list({
      ...pictures,
      'metadata.jsonl': outside.map((name) => line(name, 'x')).join(''),
    })
    assert.deepEqual(images, [['a.png', 'x', 7]])
    assert.equal(said.filter((text) => text.includes('which leaves it')).length, 6)
    assert.equal(said.length, 7)
  })

  it('are those of a table too', async () => {
    const table = 'file_name,text\na.png,red, round apple\n,one\na.png,\nb.jpg,two\n'
    const { images, said } = await list({ ...pictures, 'metadata.csv': table })
    assert.deepEqual(images, [['b.jpg', 'two', 5]])
    assert.deepEqual(
      said.map((text) => /metadata\.csv:\d+( \w+)?: expected [\w ]+/.exec(text)?.[0]),
      [
        'metadata.csv:2: expected 2 cells',
        'metadata.csv:3 file_name: expected a file name',
        'metadata.csv:4 text: expected a caption',
      ],
    )
  })

  it('are counted where there are many', async () => {
    const { said } = await list({ ...pictures, 'metadata.jsonl': '{\n'.repeat(25) })
    assert.equal(said.length, 11)
    assert.equal(said[10], 'images: left out 15 more')
  })
})

describe('links', () => {
  const read = async (place: string) => {
    const leftOut = new LeftOut('images')
    const images = await readCaptionedImages(place, usual, leftOut)
    const said: string[] = []
    leftOut.tell({ write: (text) => said.push(text) })
    return { names: images.map(({ file }) => relative(place, file)), said: said.join('') }
  }

  it('within the folder are followed, those that leave it are left out and named', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'attune-'))
    const place = join(folder.path, 'images')
    await mkdir(place)
    await writeFile(join(folder.path, 'outside.png'), '')
    await writeFile(join(place, 'a.png'), '')
    await symlink('a.png', join(place, 'same.png'))
    await symlink('../outside.png', join(place, 'out.png'))
    await writeFile(join(place, 'metadata.jsonl'), line('a.png', 'a') + line('same.png', 'b') + line('out.png', 'c'))
    const { names, said } = await read(place)
    assert.deepEqual(names, ['a.png', 'same.png'])
    assert.match(said, /metadata\.jsonl:3 file_name: .*out\.png|out\.png, a link that leaves it/)
  })

  it('of a snapshot in the cache of Hugging Face lead to the blobs of its repository', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'attune-'))
    const repository = join(folder.path, 'datasets--owner--name')
    const place = join(repository, 'snapshots', 'abc')
    await mkdir(place, { recursive: true })
    await mkdir(join(repository, 'blobs'))
    await writeFile(join(repository, 'blobs', '1234'), '')
    await writeFile(join(folder.path, 'secret'), '')
    await symlink('../../blobs/1234', join(place, 'a.png'))
    await symlink('../../../secret', join(place, 'b.png'))
    await writeFile(join(place, 'metadata.jsonl'), line('a.png', 'a') + line('b.png', 'b'))
    assert.deepEqual((await read(place)).names, ['a.png'])
  })
})
