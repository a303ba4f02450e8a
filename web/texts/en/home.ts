/** The first page. */
export const home = {
  welcome: (name: string | null) => (name === null ? 'Welcome' : `Welcome, ${name}`),
  answersTeach: 'Your answers teach the model what people want to see.',
  label: 'Label',
}
