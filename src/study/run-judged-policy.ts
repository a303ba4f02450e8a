/** A process of the study: `run-judged-policy.ts --config FILE` is `policy dpok` with the judge in the place of its reward. */
import { readFileSync } from 'node:fs'
import type { Open } from '../images/open-model.ts'
import { endWithParent } from '../parent-watch.ts'
import { policySchema, trainPolicy } from '../policy/train-policy.ts'
import { family } from '../shapes/family.ts'
import { useThreads } from '../tensor/library.ts'
import { judgedReward } from './judged-reward.ts'

endWithParent()
useThreads(1)
const open: Open = async (config) => {
  const opened = await family.open(config)
  return { ...opened, policy: opened.model }
}
const schema = await policySchema('policy dpok')
const config = schema.parse({ ...JSON.parse(readFileSync(process.argv[3], 'utf8')), resume: true })
await trainPolicy('policy dpok', config, open, { changeReward: judgedReward })
