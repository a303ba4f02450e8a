/** All texts in English, by page. What another language has to say is the type of this. */
import { account } from './en/account.ts'
import { adminLog } from './en/admin-log.ts'
import { asking } from './en/asking.ts'
import { compare } from './en/compare.ts'
import { data } from './en/data.ts'
import { errors } from './en/errors.ts'
import { examples } from './en/examples.ts'
import { flags } from './en/flags.ts'
import { frame } from './en/frame.ts'
import { gallery } from './en/gallery.ts'
import { history } from './en/history.ts'
import { home } from './en/home.ts'
import { invitations } from './en/invitations.ts'
import { job } from './en/job.ts'
import { jobs } from './en/jobs.ts'
import { label } from './en/label.ts'
import { machine } from './en/machine.ts'
import { models } from './en/models.ts'
import { names } from './en/names.ts'
import { next } from './en/next.ts'
import { pictures } from './en/pictures.ts'
import { playground } from './en/playground.ts'
import { policies } from './en/policies.ts'
import { prompts } from './en/prompts.ts'
import { raters } from './en/raters.ts'
import { reports } from './en/reports.ts'
import { rewards } from './en/rewards.ts'
import { runs } from './en/runs.ts'
import { settings } from './en/settings.ts'
import { sharing } from './en/sharing.ts'
import { signIn } from './en/sign-in.ts'
import { train } from './en/train.ts'
import { usual } from './en/usual.ts'
import { vote } from './en/vote.ts'

export const en = {
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
export type Texts = typeof en
