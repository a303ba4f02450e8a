/** What lies in a workspace, and what is sent to its studio. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseConfig } from '../../../src/config.ts'
import { ImportConfig } from '../../../src/feedback/import-labels.ts'
import { readImageList } from '../../../src/images/image-run.ts'
import { metricsOf } from '../../../src/report/lineage.ts'
import { readRun } from '../../../src/run.ts'
import { readJobs } from '../../../src/studio/jobs/job-record.ts'
import { partsOf } from '../../../src/studio/server/multipart.ts'
import { RunNotes } from '../../../src/studio/run-notes.ts'
import { RunLibrary } from '../../../src/studio/runs.ts'
import { openWorkspace } from '../../../src/studio/workspace.ts'
import { asFile, at, json, type Reader, records, texts } from './reader.ts'

const job = {
  id: 'job-1',
  stage: 'images generate',
  run: 'round-1',
  purpose: 'round',
  device: 'cpu',
  state: 'done',
  needs: [],
  settings: { seed: 1, prompts: ['a cat'] },
  queuedAt: at,
  startedAt: at,
  finishedAt: null,
  earlierSeconds: 0,
  stopAskedAt: null,
  owner: { pid: 1, host: 'a', began: 'b' },
  error: null,
}
const manifest = {
  schema: 1,
  version: '0.1.0',
  attune: '0.1.0',
  stage: 'images generate',
  startedAt: at,
  finishedAt: at,
  seconds: 1,
  config: {},
  parents: {},
  files: ['images.jsonl', 'images'],
  results: { images: 3 },
}

/** A workspace with one run, of which one file is the input. */
const inRun = (name: string, sound: Uint8Array[], read: (folder: string, library: RunLibrary) => unknown): Reader => ({
  name: `run ${name}`,
  form: name.endsWith('.jsonl') ? 'lines' : 'json',
  sound: () => sound,
  open: (folder) => {
    const workspace = openWorkspace(folder)
    const run = join(folder, 'runs', 'round-1')
    mkdirSync(run, { recursive: true })
    writeFileSync(join(run, 'config.json'), JSON.stringify({ stage: 'images generate', seed: 1 }))
    writeFileSync(join(run, 'manifest.json'), JSON.stringify(manifest))
    return (bytes) => {
      writeFileSync(join(run, name), bytes)
      return read(run, new RunLibrary(workspace, new RunNotes(workspace)))
    }
  },
})

async function* piecesOf(bytes: Uint8Array) {
  for (let from = 0; from < bytes.length; from += 7) yield bytes.subarray(from, from + 7)
}

export const workspaceReaders: readonly Reader[] = [
  inRun('images.jsonl', texts(records.map((record) => JSON.stringify(record)).join('\n')), (run) =>
    readImageList(join(run, 'images.jsonl')),
  ),
  inRun('manifest.json', json(manifest), (run, library) => {
    library.all()
    readRun(run)
  }),
  inRun('config.json', json({ stage: 'images generate', seed: 1, prompts: ['a'] }), (_, library) => library.all()),
  inRun('metrics.jsonl', texts('{"step":1,"at":"2026","loss":0.5}\n{"step":2,"loss":0.4}\n'), (run) =>
    metricsOf({ folder: run } as never),
  ),
  {
    name: 'config flag',
    form: 'json',
    sound: () => json({ stage: 'feedback import', feedback: 'a.sqlite', labels: 'a.csv', images: ['a'] }),
    open: asFile('config.json', (file) => parseConfig(ImportConfig, { stage: 'feedback import', file })),
  },
  {
    name: 'job record',
    form: 'json',
    sound: () => json(job),
    open: (folder) => {
      const workspace = openWorkspace(folder)
      mkdirSync(join(folder, 'jobs', 'job-1'), { recursive: true })
      return (bytes) => {
        writeFileSync(join(folder, 'jobs', 'job-1', 'job.json'), bytes)
        readJobs(workspace)
      }
    },
  },
  {
    name: 'multipart form',
    form: 'text',
    sound: () =>
      texts(
        '--b\r\nContent-Disposition: form-data; name="format"\r\n\r\ncsv\r\n--b\r\n' +
          'Content-Disposition: form-data; name="file"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\na,b\r\n--b--\r\n',
      ),
    open: () => async (bytes) => {
      for await (const { content } of partsOf(piecesOf(bytes), 'b')) for await (const _piece of content);
    },
  },
]
