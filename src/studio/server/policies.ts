/** Policies as files for other programs. */
import { join } from 'node:path'
import { z } from 'zod'
import { loraFileName } from '../../run-files.ts'
import { RunName } from '../schemas/basics.ts'
import { PolicyDownloadQuery } from '../schemas/models.ts'
import type { StudioRun } from '../runs.ts'
import { doModelTask } from '../models/model-tasks.ts'
import { runPath } from '../workspace.ts'
import { download } from './downloads.ts'
import { refuse } from './failures.ts'
import { fileRoute } from './route.ts'

/** Whether a policy is made of adapters, which other programs read; else its weights themselves were trained. */
export const isMadeOfAdapters = ({ manifest }: Pick<StudioRun, 'manifest'>): boolean =>
  manifest.files.some(({ file }) => file === loraFileName)

export const policyRoutes = [
  fileRoute({
    method: 'get',
    path: '/api/policies/:name/download',
    summary: 'A policy for other programs: its file and a model card, in a ZIP archive.',
    who: 'admin',
    params: z.object({ name: RunName }),
    query: PolicyDownloadQuery,
    answer: 'application/octet-stream',
    handle: ({ studio, params: { name }, query: { form: asked } }) => {
      const run = studio.runs.get('policy', name)
      const form = asked ?? (isMadeOfAdapters(run) ? 'diffusers' : 'attune')
      if (form !== 'attune' && !isMadeOfAdapters(run)) {
        throw refuse(409, 'wrong-kind', {
          where: name,
          expected: 'a policy made of low-rank adapters',
          received: 'one whose weights were trained themselves',
          remedy: 'download it as it is, with form=attune',
        })
      }
      return download(studio, async (folder) => {
        const file = fileNames[form](name)
        const { folder: workspace } = studio.workspace
        await doModelTask(name, {
          kind: 'export',
          folder: workspace,
          policy: runPath(name),
          form,
          out: join(folder, file),
        })
        return { file, archive: `${name}-${form}.zip` }
      })
    },
  }),
]

/** As the readers of each form expect or show them. */
const fileNames = {
  diffusers: () => loraFileName,
  kohya: (name: string) => `${name}.safetensors`,
  attune: (name: string) => `${name}.safetensors`,
} as const
