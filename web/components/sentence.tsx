/** `Run of `policy dpok`.`: what stands between backticks is typed. */
export const Sentence = ({ text }: { text: string }) =>
  text.split('`').map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))
