/** Policies side by side, and blind votes. */
import { z } from 'zod'
import { count, ImageRef, Interval, PolicyRef, PromptText, RunName, share, time } from './basics.ts'
import { JudgmentId, Progress } from './labelling.ts'

export const NewComparison = z.strictObject({
  policies: z.array(PolicyRef).min(2).max(6),
  /** Without them the embedded model's unseen prompts. */
  prompts: z.array(PromptText).min(1).max(200).optional(),
  promptCount: z.int().min(1).max(79).default(12),
  /** Four make a set of Lee et al.'s form. */
  perPrompt: z.int().min(1).max(8).default(4),
})
export type NewComparison = z.input<typeof NewComparison>

export const ComparisonSummary = z.object({
  id: RunName,
  policies: z.array(z.string()),
  at: time,
  prompts: count,
  /** That were given more than once, and are drawn once. */
  repeatedPrompts: count,
  perPrompt: count,
  /** All images are drawn. */
  ready: z.boolean(),
  /** Whoever asks has seen which policy drew what, and votes on it no more. */
  opened: z.boolean(),
  /** Ids of the jobs that draw them. */
  jobs: z.array(z.string()),
})
export type ComparisonSummary = z.infer<typeof ComparisonSummary>
export const Comparisons = z.object({ /** Newest first. */ comparisons: z.array(ComparisonSummary) })
export type Comparisons = z.infer<typeof Comparisons>

/** Side by side: the same prompt and noise in every policy. */
export const ComparisonDetail = ComparisonSummary.extend({
  rows: z.array(
    z.object({
      prompt: z.string(),
      index: count,
      /** In the order of `policies`; null where an image is gone, and of all until whoever asks has opened the comparison. */
      images: z.array(ImageRef.nullable()),
    }),
  ),
})
export type ComparisonDetail = z.infer<typeof ComparisonDetail>

export const VoteForm = z.enum(['single', 'set'])
export const VoteQuestion = z.enum(['alignment', 'fidelity'])
/** A blind vote: which side is which policy stays on the server. */
export const VoteTask = z.object({
  /** Opaque. */
  id: z.string(),
  prompt: z.string(),
  question: VoteQuestion,
  first: z.array(ImageRef),
  second: z.array(ImageRef),
})
export type VoteTask = z.infer<typeof VoteTask>
/** About how many more votes a verdict takes, on what nobody has voted on yet. */
const VotesWanted = z.object({
  /** If whoever is ahead wins them all. */
  least: count,
  /** If they go on as so far; null of more than a thousand. */
  about: count.nullable(),
})

export const VoteTasks = z.object({
  tasks: z.array(VoteTask),
  progress: Progress,
  /** This rater has opened the comparison: there is nothing more to vote on. */
  opened: z.boolean(),
  /** How far all raters together are on this question, in this form. */
  standing: z.object({
    /** Of every pair of its policies it is known which one is better. */
    decided: z.boolean(),
    /** Of the pairs that are not decided, together; null without any. */
    wanted: VotesWanted.nullable(),
  }),
})
export type VoteTasks = z.infer<typeof VoteTasks>
export const VoteTasksQuery = z.object({
  form: VoteForm.default('single'),
  question: VoteQuestion.default('alignment'),
  count: z.coerce.number().int().min(1).max(50).default(5),
  /** Ids of vote tasks that the page already holds, joined by commas. */
  without: z.string().max(10_000).default(''),
})
export type VoteTasksQuery = z.input<typeof VoteTasksQuery>
/** Of a rater. */
const NewVote = z.strictObject({
  /** A UUID made by the page: a repetition counts once. */
  id: JudgmentId,
  task: z.string().max(500),
  answer: z.enum(['first', 'second', 'tie', 'skip']),
  at: time,
  durationMs: z.number().nonnegative().optional(),
  undoes: JudgmentId.optional(),
})
export const NewVotes = z.strictObject({ votes: z.array(NewVote).min(1).max(200) })
export type NewVotes = z.infer<typeof NewVotes>

export const OwnVotesQuery = z.object({ count: z.coerce.number().int().min(1).max(50).default(20) })
export type OwnVotesQuery = z.input<typeof OwnVotesQuery>
/** The last votes that stand, the newest first, each with what was asked. */
export const OwnVotes = z.object({ answers: z.array(z.object({ vote: NewVote, form: VoteForm, task: VoteTask })) })
export type OwnVotes = z.infer<typeof OwnVotes>

/** By a test that may be looked at after every vote. */
const Verdict = z.object({
  better: z.enum(['first', 'second']).nullable(),
  /** Images, or sets of them, that were compared: each counts once, however many raters voted on it. */
  won: count,
  tied: count,
  lost: count,
  /** Of those that were not tied, the share that `first` won; null without any. */
  share: z.object({ value: share, low: share, high: share }).nullable(),
  /** Null where it is decided. */
  wanted: VotesWanted.nullable(),
})

export const WinRate = z.object({
  /** Never the pre-trained model. */
  first: z.string(),
  second: z.string(),
  form: VoteForm,
  question: VoteQuestion,
  votes: count,
  raters: count,
  wins: count,
  losses: count,
  ties: count,
  /** Share of votes for `first`, a tie counts half; of sets the share of questions won, an undecided one counts half. */
  rate: Interval.nullable(),
  /** Lee et al.'s form: questions on which one side has at least two thirds of the votes; null for single pairs. */
  decided: z.object({ first: count, second: count, undecided: count }).nullable(),
  verdict: Verdict,
})
export type WinRate = z.infer<typeof WinRate>
export const Votes = z.object({ winRates: z.array(WinRate) })
export type Votes = z.infer<typeof Votes>
