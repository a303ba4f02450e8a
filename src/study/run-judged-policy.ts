/** A process of the study: `run-judged-policy.ts --config FILE` is `policy dpok` with the judge in the place of its reward. */
import { readFileSync } from 'node:fs'
import { open } from '../open.ts'
import { endWithParent } from '../parent-watch.ts'
import { policySchema, trainPolicy } from '../policy/train-policy.ts'
import { useThreads } from '../tensor/library.ts'
import { judgedReward } from './judged-reward.ts'

endWithParent()
useThreads(1)
const schema = await policySchema('policy dpok')
const config = schema.parse({ ...JSON.parse(readFileSync(process.argv[3], 'utf8')), resume: true })
await trainPolicy('policy dpok', config, open, { changeReward: judgedReward })
