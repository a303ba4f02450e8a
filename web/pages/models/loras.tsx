/** LoRA files that somebody has brought: to be tried in the Playground, and to start a policy from. */
import { useState } from 'react'
import type { AddedLora, Models } from '../../../src/studio/schemas/models.ts'
import { client } from '../../api.ts'
import { Confirm } from '../../components/confirm.tsx'
import { DropZone } from '../../components/drop-zone.tsx'
import { ErrorNotice } from '../../components/notice.tsx'
import { plural, size } from '../../format.ts'
import { useAction } from '../../remote.ts'
import { to } from '../../router.ts'

interface LorasProps {
  readonly loras: Models['loras']
  readonly reload: () => Promise<void>
}

export function Loras({ loras, reload }: LorasProps) {
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
        <h2>LoRA files</h2>
        <p className="soft small">
          Of diffusers, PEFT, kohya’s scripts or ComfyUI, for the checkpoint in use. They can be drawn with in the{' '}
          <a href={to('playground')}>Playground</a>, and a <a href={to('train', 'policy')}>policy</a> can start from
          one.
        </p>
      </div>
      <DropZone
        accept=".safetensors"
        label={add.isBusy ? 'Being looked at …' : 'Choose a file'}
        take={([file]) => file !== undefined && void add.run(file)}
      >
        or drop a .safetensors file here
      </DropZone>
      <ErrorNotice error={add.error ?? remove.error} />
      {added !== undefined && (
        <div className="notice good" role="status">
          <strong dir="auto">{added.name} fits</strong>
          <span dir="auto">
            {plural(added.layers, 'layer')}
            {added.rank !== null && `, rank ${added.rank}`}, in the form of {added.form}
            {added.trainedOn !== null && `; it says that it was trained on ${added.trainedOn}`}.
          </span>
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
                  aria-label={`Remove ${name}`}
                  disabled={remove.isBusy}
                  onClick={() => setRemoved(name)}
                >
                  Remove
                </button>
              </div>
            </li>
          ))}
        </ul>
      )}
      {removed !== undefined && (
        <Confirm
          title={`Remove ${removed}?`}
          action="Remove"
          confirm={() => void remove.run(removed)}
          close={() => setRemoved(undefined)}
        >
          The file is deleted from this workspace. Runs that started from it stay, but cannot be repeated.
        </Confirm>
      )}
    </section>
  )
}
