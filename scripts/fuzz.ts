/**
 * Feeds every reader of files with broken and hostile ones: `node scripts/fuzz.ts --inputs 1000000`.
 *
 * A finding is a crash, no end within 10 s, more than 1 GiB of memory, an error that is none of Attune's, a changed
 * prototype, or a file outside the folder. Each is kept as the input itself and a text that says what happened;
 * `--reader <name> --seed <seed> --only <number>` tries it again.
 */
import { mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { inputOf } from './fuzz/inputs.ts'
import { readers } from './fuzz/readers.ts'
import { tryInputs, type Finding } from './fuzz/try-inputs.ts'
import { watchReader } from './fuzz/watch.ts'

const { values } = parseArgs({
  options: {
    reader: { type: 'string', default: '' },
    inputs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '0' },
    minutes: { type: 'string', default: '60' },
    only: { type: 'string' },
    out: { type: 'string', default: 'build/fuzz' },
  },
})
const [inputs, seed, minutes] = [values.inputs, values.seed, values.minutes].map(Number)
const chosen = readers.filter(({ name }) => name.includes(values.reader))
if (chosen.length === 0) {
  process.stderr.write(`no reader ${values.reader}: there are ${readers.map(({ name }) => name).join(', ')}\n`)
  process.exit(2)
}

async function keep({ reader, number, what }: Finding): Promise<void> {
  const own = readers.find(({ name }) => name === reader)!
  const file = join(values.out, `${reader.replaceAll(/\W+/g, '-')}-${seed}-${number}`)
  mkdirSync(values.out, { recursive: true })
  writeFileSync(file, inputOf(own, await own.sound(), seed, number))
  writeFileSync(`${file}.txt`, `--reader '${reader}' --seed ${seed} --only ${number}\n${what}\n`)
}

let count = 0
if (values.only === undefined) {
  const share = Math.ceil(inputs / chosen.length)
  const began = Date.now()
  let tried = 0
  for (const [place, reader] of chosen.entries()) {
    const start = Date.now()
    // What is left of the time, in equal parts.
    const untilMs = start + (began + minutes * 60_000 - start) / (chosen.length - place)
    const outcome = await watchReader(reader, seed, share, untilMs)
    const rate = Math.round((1000 * outcome.tried) / (Date.now() - start))
    tried += outcome.tried
    count += outcome.findings.length
    process.stdout.write(`${reader.name}: ${outcome.tried} inputs, ${rate}/s, ${outcome.findings.length} findings\n`)
    for (const finding of outcome.findings) await keep(finding)
    for (const { number, what } of outcome.findings.slice(0, 3)) {
      process.stdout.write(`  ${number}: ${what.split('\n').slice(0, 3).join(' | ').slice(0, 400)}\n`)
    }
  }
  process.stdout.write(`${tried} inputs, ${count} findings${count > 0 ? `, kept in ${values.out}` : ''}\n`)
} else {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'fuzz-'))
  const number = Number(values.only)
  const [reader] = chosen.filter(({ name }) => name === values.reader).concat(chosen)
  for (const finding of await tryInputs(reader, { from: number, to: number + 1, seed, folder: folder.path })) {
    process.stdout.write(`${finding.what}\n`)
    await keep(finding)
    count++
  }
}
process.exitCode = count === 0 ? 0 : 1
