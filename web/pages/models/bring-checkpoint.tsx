/** A checkpoint in one file, brought from the disk of whoever sits here. */
import { useState } from 'react'
import { clientTelling } from '../../api.ts'
import { DropZone } from '../../components/drop-zone.tsx'
import { ErrorNotice } from '../../components/notice.tsx'
import { ProgressBar } from '../../components/progress-bar.tsx'
import { percent } from '../../format.ts'
import { useAction } from '../../remote.ts'
import { useTexts } from '../../texts/texts.ts'

export function BringCheckpoint({ reload }: { reload: () => Promise<void> }) {
  const texts = useTexts().models.bringing
  const [sent, setSent] = useState(0)
  const [brought, setBrought] = useState<string>()
  const bring = useAction(async (file: File) => {
    setBrought(undefined)
    setSent(0)
    const { name } = await clientTelling(setSent).addCheckpoint(file)
    setBrought(name)
    await reload()
  })
  return (
    <div className="stack tight">
      {bring.isBusy ? (
        <div className="stack tight" role="status">
          <ProgressBar label={texts.progress} {...(sent < 1 && { share: sent })} />
          <span className="soft small">{sent < 1 ? texts.sent(percent(sent)) : texts.lookedAt}</span>
        </div>
      ) : (
        <DropZone
          accept=".safetensors"
          label={texts.choose}
          take={([file]) => file !== undefined && void bring.run(file)}
        >
          {texts.drop}
        </DropZone>
      )}
      <ErrorNotice error={bring.error} />
      {brought !== undefined && (
        <p className="notice good" role="status" dir="auto">
          {texts.isHere(brought)}
        </p>
      )}
    </div>
  )
}
