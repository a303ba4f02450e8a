/** All texts in German, by page; people are spoken to with "Sie". */
import { frame } from './de/frame.ts'
import { label } from './de/label.ts'
import { signIn } from './de/sign-in.ts'
import type { Texts } from './en.ts'

export const de: Texts = { frame, label, signIn }
