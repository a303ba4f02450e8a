/** All texts in English, by page. What another language has to say is the type of this. */
import { frame } from './en/frame.ts'
import { label } from './en/label.ts'
import { signIn } from './en/sign-in.ts'

export const en = { frame, label, signIn }
export type Texts = typeof en
