using Post.Sockets.Objects;
using Post.Sockets.Protocol;

namespace Post.Sockets.Associations.Sending;

/// <summary>
/// Lets objects begin anew on another connection, or after early data that was not taken, once nobody uses their bytes any more. Everything
/// happens under the association's lock.
/// </summary>
internal sealed class Restarts(AssociationCore core)
{
    /// <summary>
    /// What was handed over of an object is void, since the connection is gone or did not take early data: it begins anew as soon as nobody
    /// uses its bytes any more.
    /// </summary>
    public void StartAnew(OutboundObject item)
    {
        if (item.IsEnded)
        {
            return;
        }

        if (item.Source is { CanGoBack: false } && item.Transit.PayloadTaken > 0)
        {
            core.Outbox.End(
                item,
                ObjectOutcome.Failed,
                ObjectOutcomeReason.ConnectionLost,
                new PostException(
                    PostErrorReason.ConnectionLost,
                    $"The connection was lost when part of object {item.Id} had gone, and what it is read from can be read only once. Send "
                    + "from memory or from a stream that can seek, and the object outlives its connection."));
            return;
        }

        if (item is { Properties.Retransmit: false, Transit: { IsDatagram: true, IsVisible: true } })
        {
            core.Outbox.End(item, ObjectOutcome.Expired, ObjectOutcomeReason.InFlight, abandon: AbandonReason.Lost);
            return;
        }

        core.Scheduler.StartOver(item.Entry);
        item.Start.Forget();
        item.Transit.IsVoid = true;
        if (!item.IsWriting)
        {
            Restart(item);
        }
    }

    /// <summary>Nobody uses the object's memory any more; false when there is nothing more to be done with it now.</summary>
    public bool LetGo(OutboundObject item)
    {
        item.IsWriting = false;
        if (item.IsEnded)
        {
            if (item.Transit.Stream is { } stream)
            {
                core.Later(new TransportAction(TransportActionKind.Dispose, stream));
            }

            if (item.IsReleasePending)
            {
                item.IsReleasePending = false;
                core.ReleaseLater(item);
            }
            else
            {
                core.PublishLater(item);
            }

            return false;
        }

        if (item.Transit.IsVoid)
        {
            Restart(item);
            return false;
        }

        return true;
    }

    private void Restart(OutboundObject item)
    {
        core.Scheduler.StartOver(item.Entry);
        core.Outbox.ReleaseDatagram(item);
        if (item.Transit.Stream is { } stream)
        {
            core.Later(new TransportAction(TransportActionKind.Dispose, stream));

            // The receiver may hold its beginning, of a stream; a datagram could not continue that.
            item.NeedsStream = true;
        }

        item.WasVisible |= item.Transit.IsVisible;
        item.HandedBefore = item.Handed;

        item.Transit = new Transit { PayloadTaken = item.Start.Offset };
        if (item.Start.State == OutboundStart.Step.Told)
        {
            // The next connection has said already how much the receiver holds.
            core.Scheduler.GoOn(item.Entry);
        }

        if (item.Unsent <= 0)
        {
            core.Scheduler.Add(item.Entry);
        }
    }
}
