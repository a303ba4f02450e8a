/** Longer ones are set small, and scrolled. */
export const longest = 160

/** The prompt that is asked about. */
export const PromptText = ({ text }: { text: string }) => (
  <p
    className={text.length > longest ? 'label-prompt long' : 'label-prompt'}
    dir="auto"
    data-testid="prompt"
    // A text that has to be scrolled must be within reach of the keyboard.
    tabIndex={text.length > longest ? 0 : undefined}
  >
    {text}
  </p>
)
