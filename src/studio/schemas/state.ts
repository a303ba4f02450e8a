/** Where the studio stands, in one answer. */
import { z } from 'zod'
import { User } from './accounts.ts'
import { count, RunName } from './basics.ts'
import { Job, SettingValue } from './jobs.ts'
import { Next } from './next.ts'
import { PolicySummary, ReportSummary, RewardSummary, Round } from './runs.ts'

export const Counts = z.object({
  images: count,
  /** Images with at least one answer that is no skip. */
  judged: count,
  judgments: count,
  /** Of them, those that are no skip and no vote. */
  labels: count,
  raters: count,
  good: count,
  bad: count,
  skip: count,
  pairs: count,
  ratings: count,
  rankings: count,
  votes: count,
})
export type Counts = z.infer<typeof Counts>

/** What `policy dpo` would learn from, straight from the judgments. */
export const PairsToTrain = z.object({
  /** Two images of a prompt of which people preferred one: when asked, by ranks or stars, or one called good and one bad. */
  pairs: count,
  prompts: count,
  /** Pairs that are missing for a training; 0 where they are enough. */
  missing: count,
  /** Why held-out pairs could not show that such a policy is better; null where they could. */
  caveat: z
    .object({
      /** Independent choices that they count as, those of them that would be held out, and about how many it takes. */
      choices: count,
      measured: count,
      wanted: count,
    })
    .nullable(),
  /** Settings of `policy dpo` for so many. */
  settings: z.record(z.string(), SettingValue),
})
export type PairsToTrain = z.infer<typeof PairsToTrain>

export const State = z.object({
  version: z.string(),
  /** Last part of the workspace's folder. */
  workspace: z.string(),
  /** Accounts are asked for: this server listens on more than this machine. */
  login: z.boolean(),
  user: User,
  counts: Counts,
  rounds: z.array(Round),
  /** Those that run or wait, in their order, then the last few that ended. */
  jobs: z.array(Job),
  rewards: z.array(RewardSummary),
  policies: z.array(PolicySummary),
  reports: z.array(ReportSummary),
  /** For admins. */
  pairs: PairsToTrain.nullable(),
  /** Runs, jobs and comparisons of which a file cannot be read, for admins; they are in none of the lists. */
  broken: z.array(z.object({ name: z.string(), /** `runs/report-1/report.json: an empty file` */ reason: z.string() })),
  next: Next,
  /** The policy that the next one is trained from, and that draws more images: the newest that nothing speaks against. Null: the pre-trained model. */
  base: RunName.nullable(),
})
export type State = z.infer<typeof State>
