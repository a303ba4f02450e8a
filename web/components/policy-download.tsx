/** A policy as files for other programs, with its model card. */
import { client } from '../api.ts'
import { useStudio } from '../studio-state.tsx'
import { useTexts } from '../texts/texts.ts'
import { Icon } from './icon.tsx'

/** Nothing where the studio has no policy of this name, or this person may not see it. */
export function PolicyDownload({ name }: { name: string }) {
  const { policies: texts } = useTexts()
  const { state } = useStudio()
  const policy = state?.policies.find((one) => one.name === name)
  if (policy === undefined) return null
  if (!policy.adapters) {
    return (
      <a
        className="button small"
        href={client.policyUrl(name, 'attune')}
        download
        aria-label={texts.downloadNamed(name)}
      >
        <Icon name="data" size={16} /> {texts.download}
      </a>
    )
  }
  return (
    <span className="row tight">
      {(['diffusers', 'kohya'] as const).map((form) => (
        <a
          key={form}
          className="button small"
          href={client.policyUrl(name, form)}
          download
          aria-label={texts.loraNamed(form, name)}
          title={texts.goodFor[form]}
        >
          <Icon name="data" size={16} /> {texts.lora(form)}
        </a>
      ))}
    </span>
  )
}
