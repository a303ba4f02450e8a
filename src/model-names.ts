/** The model where none is named: it comes with Attune. */
export const defaultModel = 'shapes'
