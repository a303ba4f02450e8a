/** Where the studio stands, in one answer. */
import { z } from 'zod'
import { User } from './accounts.ts'
import { count } from './basics.ts'
import { Job } from './jobs.ts'
import { PolicySummary, ReportSummary, RewardSummary, Round } from './runs.ts'

export const Counts = z.object({
  images: count,
  /** Images with at least one answer that is no skip. */
  judged: count,
  judgments: count,
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

const nextSteps = ['draw', 'label', 'train-reward', 'train-policy', 'wait', 'draw-again', 'compare', 'report'] as const
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
  /** Runs, jobs and comparisons of which a file cannot be read, for admins; they are in none of the lists. */
  broken: z.array(z.object({ name: z.string(), /** `runs/report-1/report.json: an empty file` */ reason: z.string() })),
  next: z.object({ step: z.enum(nextSteps), sentence: z.string() }),
})
export type State = z.infer<typeof State>
