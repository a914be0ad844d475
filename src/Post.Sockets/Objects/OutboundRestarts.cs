using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;

namespace Post.Sockets.Objects;

/// <summary>
/// Lets objects begin anew on another connection, or after early data that was not taken, once nobody uses their bytes any more.
/// </summary>
internal sealed class OutboundRestarts(Outbox outbox, SendScheduler scheduler, ObjectEffects effects)
{
    /// <summary>
    /// What was handed over of an object is void, since the connection is gone or did not take early data: it begins anew as soon as nobody
    /// uses its bytes any more. One in grace has its time behind it, and waits for that to end.
    /// </summary>
    public void StartAnew(OutboundObject item)
    {
        if (item.IsEnded || item.IsInGrace)
        {
            return;
        }

        if (item.Source is { CanGoBack: false } && item.Transmission.PayloadTaken > 0)
        {
            outbox.End(
                item,
                ObjectOutcome.Failed,
                ObjectOutcomeReason.ConnectionLost,
                new PostException(
                    PostErrorReason.ConnectionLost,
                    $"The connection was lost when part of object {item.Id} had gone, and what it is read from can be read only once. Send "
                    + "from memory or from a stream that can seek, and the object outlives its connection."));
            return;
        }

        if (item is { Properties.Retransmit: false, Transmission: { Form: TransmissionForm.Datagram, IsVisible: true } })
        {
            outbox.End(item, ObjectOutcome.Expired, ObjectOutcomeReason.InFlight, abandon: AbandonReason.Lost);
            return;
        }

        scheduler.StartOver(item.Entry);
        item.Start.Forget();
        item.Transmission.IsVoid = true;
        if (item.Use == MemoryUse.Free)
        {
            Restart(item);
        }
    }

    /// <summary>Nobody uses the object's memory any more; false when there is nothing more to be done with it now.</summary>
    public bool LetGo(OutboundObject item)
    {
        var use = item.Use;
        item.Use = MemoryUse.Free;
        if (item.IsEnded)
        {
            if (use == MemoryUse.Transport && item.Transmission.Stream is { } stream)
            {
                effects.ReleaseStream(stream);
            }

            if (item.IsReleasePending)
            {
                item.IsReleasePending = false;
                effects.ReleaseSource(item);
            }
            else
            {
                outbox.Complete(item);
            }

            return false;
        }

        if (item.Transmission.IsVoid)
        {
            Restart(item);
            return false;
        }

        return true;
    }

    private void Restart(OutboundObject item)
    {
        scheduler.StartOver(item.Entry);
        outbox.ReleaseCharge(item);
        if (item.Transmission.Stream is { } stream)
        {
            effects.ReleaseStream(stream);

            // The receiver may hold its beginning, of a stream; a datagram could not continue that.
            item.NeedsStream = true;
        }

        item.NeedsStream |= item.Transmission.Form == TransmissionForm.WholeStream;
        item.WasVisible |= item.Transmission.IsVisible;
        item.HandedBefore = item.Handed;
        item.TakeBack();

        item.Transmission = new OutboundTransmission { PayloadTaken = item.Start.Offset };
        if (item.Start.State == OutboundStart.Step.Told)
        {
            // The next connection has said already how much the receiver holds.
            scheduler.GoOn(item.Entry);
        }

        if (item.Unsent <= 0)
        {
            scheduler.Add(item.Entry);
        }
    }
}
