/** What a process executes that does a part of a check. It opens models by name, so it stands beside the command line. */
import { doCheckTask, type CheckTask, type CheckTaskResult } from './check/tasks.ts'
import { serveTask } from './child-processes.ts'
import { open } from './open.ts'

serveTask<CheckTask, CheckTaskResult>((task, count) => doCheckTask(task, open, count))
