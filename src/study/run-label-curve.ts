/** A process of the study on rewards: `run-label-curve.ts --config FILE`. */
import { readFileSync } from 'node:fs'
import { writeFileAtomic } from '../files.ts'
import { endWithParent } from '../parent-watch.ts'
import { useThreads } from '../tensor/library.ts'
import { labelCurve, LabelCurveSettings } from './label-curve.ts'

endWithParent()
useThreads(1)
const settings = LabelCurveSettings.parse(JSON.parse(readFileSync(process.argv[3], 'utf8')))
writeFileAtomic(settings.out, `${JSON.stringify(await labelCurve(settings))}\n`)
