using Post.Sockets.Protocol;

namespace Post.Sockets.Objects;

/// <summary>
/// What the rules of objects want done, in order: they know neither a transport nor a peer, so they say it here and the association carries
/// it out.
/// </summary>
internal sealed class ObjectEffects
{
    private readonly Queue<ObjectEffect> _effects = new();

    public bool TryTake(out ObjectEffect effect) => _effects.TryDequeue(out effect);

    public void StopSending(OutboundObject item, PostErrorCode code) => Add(new(ObjectEffectKind.StopSending, item, (long)code));

    public void ReleaseStream(object stream) => Add(new(ObjectEffectKind.ReleaseStream, stream));

    public void StopReading(object stream, PostErrorCode code) => Add(new(ObjectEffectKind.StopReading, stream, (long)code));

    public void ChangeRank(OutboundObject item) => Add(new(ObjectEffectKind.ChangeRank, item));

    public void Abandon(long id, AbandonReason reason) => Add(new(ObjectEffectKind.Abandon, null, (long)reason, id));

    public void GiveReceipt(long id, ReceiptStatus status, long bytes, bool atOnce) =>
        Add(new(ObjectEffectKind.GiveReceipt, null, (long)status, id, bytes, atOnce));

    public void GiveStart(long id, long offset) => Add(new(ObjectEffectKind.GiveStart, null, 0, id, offset));

    public void InterruptSource(ObjectSource source) => Add(new(ObjectEffectKind.InterruptSource, source));

    public void ReleaseSource(OutboundObject item) => Add(new(ObjectEffectKind.ReleaseSource, item));

    public void TellState(OutboundObject item) => Add(new(ObjectEffectKind.TellState, item));

    public void Complete(OutboundObject item) => Add(new(ObjectEffectKind.Complete, item));

    public void CountDelivery(InboundObject item) => Add(new(ObjectEffectKind.CountDelivery, item));

    public void Discard(InboundObject item) => Add(new(ObjectEffectKind.Discard, item));

    public void WarnOfAntecedent(InboundObject item) => Add(new(ObjectEffectKind.WarnOfAntecedent, item));

    private void Add(in ObjectEffect effect) => _effects.Enqueue(effect);
}
