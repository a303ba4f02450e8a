/** All texts in German, by page; people are spoken to with "Sie". */
import { account } from './de/account.ts'
import { adminLog } from './de/admin-log.ts'
import { asking } from './de/asking.ts'
import { compare } from './de/compare.ts'
import { data } from './de/data.ts'
import { errors } from './de/errors.ts'
import { examples } from './de/examples.ts'
import { flags } from './de/flags.ts'
import { frame } from './de/frame.ts'
import { gallery } from './de/gallery.ts'
import { history } from './de/history.ts'
import { home } from './de/home.ts'
import { invitations } from './de/invitations.ts'
import { job } from './de/job.ts'
import { jobs } from './de/jobs.ts'
import { label } from './de/label.ts'
import { machine } from './de/machine.ts'
import { models } from './de/models.ts'
import { names } from './de/names.ts'
import { next } from './de/next.ts'
import { pictures } from './de/pictures.ts'
import { playground } from './de/playground.ts'
import { policies } from './de/policies.ts'
import { prompts } from './de/prompts.ts'
import { raters } from './de/raters.ts'
import { reports } from './de/reports.ts'
import { rewards } from './de/rewards.ts'
import { runs } from './de/runs.ts'
import { settings } from './de/settings.ts'
import { sharing } from './de/sharing.ts'
import { signIn } from './de/sign-in.ts'
import { train } from './de/train.ts'
import { usual } from './de/usual.ts'
import { vote } from './de/vote.ts'
import type { Texts } from './en.ts'

export const de: Texts = {
  account,
  adminLog,
  asking,
  compare,
  data,
  errors,
  examples,
  flags,
  frame,
  gallery,
  history,
  home,
  invitations,
  job,
  jobs,
  label,
  machine,
  models,
  names,
  next,
  pictures,
  playground,
  policies,
  prompts,
  raters,
  reports,
  rewards,
  runs,
  settings,
  sharing,
  signIn,
  train,
  usual,
  vote,
}
