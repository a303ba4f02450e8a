import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempDisposableSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { FormatError } from '../errors.ts'
import { readImageList } from '../images/image-run.ts'
import { picture } from './formats/formats.test-helper.ts'
import { ownPictureLimits } from './formats/own-picture.ts'
import { openFeedback } from './store/store.ts'
import { UploadConfig, uploadImages } from './upload-images.ts'

describe('images upload', () => {
  const vocabulary = {
    objects: [{ singular: 'circle', plural: 'circles' }],
    colors: ['red'],
    backgrounds: ['white'],
    counts: ['one', 'two'],
  }

  async function uploaded(list: string, files: Readonly<Record<string, Uint8Array>>) {
    const folder = mkdtempDisposableSync(join(tmpdir(), 'upload-'))
    const at = (...names: readonly string[]) => join(folder.path, ...names)
    mkdirSync(at('mine'))
    for (const [name, bytes] of Object.entries(files)) writeFileSync(at('mine', name), bytes)
    writeFileSync(at('mine', 'metadata.csv'), list)
    let told = ''
    const stderr = { write: (text: string) => (told += text) }
    const config = UploadConfig.parse({ feedback: at('store.sqlite'), folder: at('mine'), out: at('run') })
    const vocabularyOf = (model: string) => (model === 'shapes' ? vocabulary : undefined)
    const run = (resume = false, model = config.model) =>
      uploadImages({ ...config, resume, model }, vocabularyOf, stderr)
    return { at, run, told: () => told, folder }
  }

  it('takes what a list names, and names what it leaves out', async () => {
    const png = await picture('red').png().toBuffer()
    const { run, told, at, folder } = await uploaded(
      'file_name,text\r\na.png,two red circles\r\nb.png,a dog\r\nheavy.png,a dog\r\nno.png,a dog\r\n',
      { 'a.png': png, 'b.png': png.subarray(0, 50), 'heavy.png': Buffer.alloc(ownPictureLimits.bytes + 1) },
    )
    using _folder = folder
    const { added, broken } = await run()
    assert.deepEqual([added, broken.map(({ file }) => file)], [1, ['b.png', 'heavy.png']])
    assert.match(told(), /^images: left out metadata\.csv:5 file_name: .*no\.png, which is not there/m)
    assert.match(told(), /^images: left out heavy\.png: .*received 32\.0 MiB/m)
    await using store = await openFeedback(at('store.sqlite'))
    const [{ record }] = await store.images()
    assert.deepEqual(
      [record.text, record.policy, record.category, record.source?.name],
      ['two red circles', 'uploaded', 'combination', 'a.png'],
    )
  })

  it('reads in no words of the embedded world what prompts of another model ask for', async () => {
    const png = await picture('red').png().toBuffer()
    const { run, at, folder } = await uploaded('file_name,text\na.png,two red circles\n', { 'a.png': png })
    using _folder = folder
    await run(false, 'sd15')
    await using store = await openFeedback(at('store.sqlite'))
    const [{ record }] = await store.images()
    assert.deepEqual([record.category, record.attributes], ['other', undefined])
  })

  it('goes on in the folder that a killed upload has left, and keeps of it what is still asked for', async () => {
    const png = await picture('red').png().toBuffer()
    const { run, at, folder } = await uploaded('file_name,text\na.png,a dog\n', { 'a.png': png })
    using _folder = folder
    const settings = { model: 'shapes', imageColumn: 'file_name', captionColumn: 'text' }
    mkdirSync(at('run', 'images'), { recursive: true })
    writeFileSync(at('run', 'config.json'), JSON.stringify({ stage: 'images upload', folder: at('mine'), ...settings }))
    for (const name of ['000000.png', '000001.png', 'mine.png']) writeFileSync(at('run', 'images', name), 'torn')
    await assert.rejects(run(), /unfinished run of images upload — go on with it by --resume/)
    assert.equal((await run(true)).added, 1)
    assert.deepEqual(readdirSync(at('run', 'images')).sort(), ['000000.png', 'mine.png'])
    assert.equal(readImageList(at('run', 'images.jsonl')).length, 1)
    assert.notEqual(readFileSync(at('run', 'images', '000000.png'), 'utf8'), 'torn')
  })

  it('leaves no store behind where nothing can be used', async () => {
    const { run, at, folder } = await uploaded('file_name,text\na.png,a dog\n', { 'a.png': Buffer.from('GIF89a') })
    using _folder = folder
    await assert.rejects(
      run(),
      (error) => error instanceof FormatError && /received none that can be used/.test(error.message),
    )
    assert.ok(!existsSync(at('store.sqlite')) && !existsSync(at('run')))
  })
})
