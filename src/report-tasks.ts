/** What a process executes that does a part of a report. It opens models by name, so it stands beside the command line. */
import { serveTask } from './child-processes.ts'
import { judgeOf, open } from './open.ts'
import { doReportTask, type ReportTask, type ReportTaskResult } from './report/tasks.ts'

serveTask<ReportTask, ReportTaskResult>((task, count) => doReportTask(task, { open, judgeOf }, count))
