/** Reports, shown inside the studio; what stands in them is English. */
export const reports = {
  about: 'What training has changed, measured.',
  none: 'There is no report yet',
  noneWhy: 'It measures policies on prompts and noise that no training has used.',
  all: 'Reports',
  written: (when: string) => `written ${when}`,
}
