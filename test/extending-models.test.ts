/** A family of models is a folder and one line: a toy of two stages is added to a copy of the sources and used from there. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readPicture } from '../src/images/png.ts'
import { readSafetensorsHeader } from '../src/tensor/safetensors.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const copy = mkdtempSync(join(tmpdir(), 'attune-extending-'))
after(() => rmSync(copy, { recursive: true }))

const attune = (...args: string[]) =>
  execFileSync(process.execPath, [join(copy, 'src/cli.ts'), ...args], { cwd: copy, encoding: 'utf8', stdio: 'pipe' })

test('a model of two stages draws through the command line once its family has a folder and a line', async () => {
  cpSync(join(root, 'src'), join(copy, 'src'), { recursive: true })
  cpSync(join(root, 'package.json'), join(copy, 'package.json'))
  for (const name of ['node_modules', 'build', 'weights', 'scripts', 'native', '.libtorch'])
    symlinkSync(join(root, name), join(copy, name))
  const fixture = readFileSync(join(root, 'test/fixtures/extending/colours/family.ts'), 'utf8')
  cpSync(join(root, 'test/fixtures/extending/colours'), join(copy, 'src/colours'), { recursive: true })
  writeFileSync(join(copy, 'src/colours/family.ts'), fixture.replaceAll('../../../../src/', '../'))
  const list = readFileSync(join(copy, 'src/open.ts'), 'utf8')
  const line = "  () => import('./shapes/family.ts'),\n"
  assert.ok(list.includes(line))
  writeFileSync(join(copy, 'src/open.ts'), list.replace(line, `${line}  () => import('./colours/family.ts'),\n`))

  const drawing = ['images', 'generate', '--model', 'colours', '--prompt', 'a blue wall', '--per-prompt', '3']
  attune(...drawing, '--output-latents', '--out', 'drawn')
  for (const k of [0, 1, 2]) {
    const { width, height, bytes } = await readPicture(join(copy, `drawn/images/00000${k}.png`))
    assert.deepEqual([width, height, ...bytes.slice(0, 3)], [8, 8, 0, 0, 255])
  }
  const { entries } = readSafetensorsHeader(join(copy, 'drawn/latents.safetensors'))
  assert.deepEqual([...entries].map(([name, { shape }]) => [name, shape]).sort(), [
    ['latents.decoder', [3, 3, 8, 8]],
    ['latents.prior', [3, 3]],
  ])
  // x_0 as x_T of another drawing: no more than its names and shapes matter here.
  attune(...drawing, '--latents', 'drawn/latents.safetensors', '--out', 'again')
  assert.equal(attune('model', 'inspect', 'colours'), 'colours: red, green and blue\n')
  const unknown = spawnSync(
    process.execPath,
    [join(copy, 'src/cli.ts'), ...drawing.with(3, 'colors'), '--out', 'none'],
    {
      encoding: 'utf8',
    },
  )
  assert.match(unknown.stderr, /--model: expected shapes, shapes-flow, colours, a folder .*, received colors/)
})
