/** LoRA files that somebody has brought: to be tried in the Playground, and to start a policy from. */
import { useState } from 'react'
import type { AddedLora, Models } from '../../../src/studio/schemas/models.ts'
import { client } from '../../api.ts'
import { Confirm } from '../../components/confirm.tsx'
import { DropZone } from '../../components/drop-zone.tsx'
import { ErrorNotice } from '../../components/notice.tsx'
import { size } from '../../format.ts'
import { useAction } from '../../remote.ts'
import { to } from '../../router.ts'
import { useTexts } from '../../texts/texts.ts'

interface LorasProps {
  readonly loras: Models['loras']
  readonly reload: () => Promise<void>
}

export function Loras({ loras, reload }: LorasProps) {
  const { loras: texts, removing } = useTexts().models
  const [added, setAdded] = useState<AddedLora>()
  const [removed, setRemoved] = useState<string>()
  const add = useAction(async (file: File) => {
    setAdded(undefined)
    setAdded(await client.addLora(file))
    await reload()
  })
  const remove = useAction(async (name: string) => {
    await client.removeLora(name)
    setAdded(undefined)
    await reload()
  })
  return (
    <section className="card stack">
      <div>
        <h2>{texts.title}</h2>
        <p className="soft small">
          {texts.about} <a href={to('playground')}>{texts.toPlayground}</a> ·{' '}
          <a href={to('train', 'policy')}>{texts.toPolicy}</a>
        </p>
      </div>
      <DropZone
        accept=".safetensors"
        label={add.isBusy ? texts.lookedAt : texts.choose}
        take={([file]) => file !== undefined && void add.run(file)}
      >
        {texts.drop}
      </DropZone>
      <ErrorNotice error={add.error ?? remove.error} />
      {added !== undefined && (
        <div className="notice good" role="status">
          <strong dir="auto">{texts.fits(added.name)}</strong>
          <span dir="auto">{texts.facts(added.layers, added.rank, added.form, added.trainedOn)}</span>
        </div>
      )}
      {loras.length > 0 && (
        <ul className="models">
          {loras.map(({ name, bytes }) => (
            <li key={name}>
              <div className="model-head">
                <strong dir="auto">{name}</strong>
                <span className="soft small">{size(bytes)}</span>
                <button
                  type="button"
                  className="button small"
                  aria-label={removing.removeNamed(name)}
                  disabled={remove.isBusy}
                  onClick={() => setRemoved(name)}
                >
                  {removing.remove}
                </button>
              </div>
            </li>
          ))}
        </ul>
      )}
      {removed !== undefined && (
        <Confirm
          title={removing.removeIt(removed)}
          action={removing.remove}
          confirm={() => void remove.run(removed)}
          close={() => setRemoved(undefined)}
        >
          {removing.removeWhat}
        </Confirm>
      )}
    </section>
  )
}
