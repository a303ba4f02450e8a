/** What a playground can draw with: the pre-trained model, the policies of the workspace, and LoRA files that lie in it. */
import { existsSync, readdirSync } from 'node:fs'
import { loraFileName } from '../../run-files.ts'
import type { PlaygroundState } from '../schemas/playground.ts'
import type { Studio } from '../studio.ts'
import { lorasName, runPath, runsName } from '../workspace.ts'

type Listed = PlaygroundState['policies'][number]
export interface KnownPolicy extends Listed {
  /** Relative to the workspace; null: the pre-trained model. */
  readonly source: string | null
}

/** The pre-trained model first, then runs and files, the newest run first. */
export function knownPolicies({ runs, workspace }: Pick<Studio, 'runs' | 'workspace'>): KnownPolicy[] {
  const trained = runs
    .ofKind('policy')
    .toReversed()
    .map(({ name }): KnownPolicy => {
      const change = existsSync(workspace.at(runsName, name, loraFileName)) ? 'adapters' : 'weights'
      return { policy: name, kind: 'run', change, source: runPath(name) }
    })
  const loras = readdirSync(workspace.at(lorasName), { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.safetensors'))
    .map(({ name }): KnownPolicy => ({
      policy: name,
      kind: 'lora',
      change: 'adapters',
      source: `${lorasName}/${name}`,
    }))
    .sort((a, b) => (a.policy < b.policy ? -1 : 1))
  return [{ policy: 'pretrained', kind: 'pretrained', change: 'none', source: null }, ...trained, ...loras]
}
