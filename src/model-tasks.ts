/** What a process executes that works on models for the studio. It opens models by name, so it stands beside the command line. */
import { chdir } from 'node:process'
import { serveLimited } from './limited-process.ts'
import { open } from './open.ts'
import { exportPolicy, PolicyExportConfig } from './publish/export-policy.ts'
import type { ModelTask } from './studio/models/model-tasks.ts'

serveLimited(({ folder, ...task }: ModelTask): Promise<string> => {
  chdir(folder)
  const { policy, form, out } = task
  return exportPolicy(PolicyExportConfig.parse({ policy, form, out }), open)
})
