/** Writes a report as numbers and as a page. */
import { join } from 'node:path'
import { writeFileAtomic } from '../files.ts'
import { reportFiguresName, reportPageName } from '../run-files.ts'
import { reportPage, type ReportInput } from './page/page.ts'

/** What {@link writeReport} writes. */
export const reportFiles = [reportFiguresName, reportPageName] as const

/**
 * Writes both files whole or not at all.
 *
 * @throws {FileError}
 */
export function writeReport(folder: string, { report, grids }: ReportInput): void {
  const [numbers, page] = reportFiles.map((name) => join(folder, name))
  writeFileAtomic(numbers, `${JSON.stringify(report, null, 2)}\n`)
  writeFileAtomic(page, reportPage({ report, grids }))
}
