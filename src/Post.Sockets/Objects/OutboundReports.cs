using Post.Sockets.Associations;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Objects;

/// <summary>
/// What the transport and the peer report of sent objects, and what follows for them. Everything happens under the association's lock.
/// </summary>
internal sealed class OutboundReports(AssociationCore core, Outbox outbox)
{
    public void OnTransportAcknowledged(OutboundObject item)
    {
        if (item.IsEnded || !item.Transit.IsAllTaken)
        {
            return;
        }

        item.Transit.IsAcknowledged = true;
        if (item.Reach(SentObjectState.TransportAcknowledged))
        {
            core.NotifyLater(item);
        }
    }

    /// <summary>Something became of the datagram of an object.</summary>
    public void OnDatagramState(long id, TransportDatagramState state)
    {
        if (!outbox.TryFind(id, out var item) || !item.Transit.IsDatagram)
        {
            return;
        }

        outbox.ReleaseDatagram(item);
        item.Transit.IsDatagramOut |= state == TransportDatagramState.Sent;
        if (item.IsWriting)
        {
            // It is reported while it is still being handed over; the pump comes back to it.
            item.Transit.DatagramReport = state;
            return;
        }

        if (state == TransportDatagramState.Canceled && !item.Transit.IsDatagramOut)
        {
            // It never left: nothing of it was sent after all.
            item.Transit.PayloadTaken = 0;
            item.Transit.IsVisible = false;
            item.Transit.IsAllTaken = false;
        }

        // Offered as it was, what is given back unsent would come back for ever. Where its lifetime is over it ends, before any stream.
        item.Transit.IsDatagramRefused |= state == TransportDatagramState.Canceled;

        switch (state)
        {
            case TransportDatagramState.Acknowledged:
                OnTransportAcknowledged(item);
                break;
            case TransportDatagramState.Overdue when MaySendAgain(item):
                // Certainty takes another round trip, which what perishes rarely has.
                item.Transit.IsOverdue = true;
                core.Scheduler.Add(item.Entry);
                break;
            case TransportDatagramState.Lost when item.Transit.IsAcknowledged || item.Transit.IsOverdue:
                // It has arrived, or was sent again when this one was overdue: that one's fate is still to come.
                item.Transit.IsOverdue = false;
                break;
            case TransportDatagramState.Lost when item.IsInGrace:
                outbox.End(item, ObjectOutcome.Expired, ObjectOutcomeReason.InFlight, abandon: AbandonReason.Expired);
                break;
            case TransportDatagramState.Lost when !item.Properties.Retransmit:
                outbox.End(item, ObjectOutcome.Expired, ObjectOutcomeReason.InFlight, abandon: AbandonReason.Lost);
                break;
            case TransportDatagramState.Lost or TransportDatagramState.Canceled when !item.IsInGrace:
                // The same id again, while its lifetime allows: the receiver drops it if the first one came after all.
                core.Scheduler.Add(item.Entry);
                break;
        }
    }

    private static bool MaySendAgain(OutboundObject item) =>
        item is { Properties.Retransmit: true, IsEnded: false, IsInGrace: false, Transit: { IsAcknowledged: false, IsOverdue: false } };

    /// <summary>Applies one range of a receipt; an error when it names what was never sent.</summary>
    public PostErrorCode OnReceipt(ReceiptStatus status, long first, long last)
    {
        if (last >= outbox.NextId)
        {
            return PostErrorCode.IdError;
        }

        // Below the lowest without an end there is nothing to do, however wide the range: a receipt costs what it ends.
        for (var id = Math.Max(first, outbox.LowestId); id <= last; id++)
        {
            if (!outbox.TryFind(id, out var item))
            {
                continue;
            }

            if (!item.Transit.IsVisible && !item.WasVisible)
            {
                return PostErrorCode.IdError;
            }

            if (item is { IsPerishable: true, Transit.IsAllTaken: true }
                && status is ReceiptStatus.Delivered or ReceiptStatus.Processed or ReceiptStatus.Expired)
            {
                core.Trips.OnArrived(inTime: status != ReceiptStatus.Expired);
            }

            var (end, reason) = status switch
            {
                ReceiptStatus.Delivered => (ObjectOutcome.Acked, ObjectOutcomeReason.Delivered),
                ReceiptStatus.Processed => (ObjectOutcome.Acked, ObjectOutcomeReason.Processed),
                ReceiptStatus.Expired => (ObjectOutcome.Expired, ObjectOutcomeReason.AtReceiver),
                ReceiptStatus.AntecedentExpired => (ObjectOutcome.Expired, ObjectOutcomeReason.AntecedentExpired),
                ReceiptStatus.TooLarge => (ObjectOutcome.Rejected, ObjectOutcomeReason.TooLarge),
                ReceiptStatus.ReceiverLimit => (ObjectOutcome.Rejected, ObjectOutcomeReason.ReceiverLimit),
                _ => (ObjectOutcome.Rejected, ObjectOutcomeReason.Refused),
            };
            if (end == ObjectOutcome.Rejected)
            {
                outbox.Reject(item, reason, abandon: null);
            }
            else
            {
                outbox.End(item, end, reason);
            }
        }

        return PostErrorCode.NoError;
    }

    /// <summary>The receiver says where an object begins; an error when it was not asked, or says what cannot be.</summary>
    public PostErrorCode OnStartAt(long id, long offset)
    {
        if (id >= outbox.NextId)
        {
            return PostErrorCode.IdError;
        }

        if (!outbox.TryFind(id, out var item))
        {
            // It has had its end meanwhile.
            return PostErrorCode.NoError;
        }

        var error = item.Start.Answer(offset, item.Length);
        if (error != PostErrorCode.NoError)
        {
            return error;
        }

        item.BeginAt(offset);
        item.Transit.PayloadTaken = offset;
        if (!item.IsWriting)
        {
            core.Scheduler.Add(item.Entry);
        }

        return PostErrorCode.NoError;
    }

    /// <summary>The peer stopped the stream of an object. Where it also gives a receipt, both say the same.</summary>
    public void OnStopped(OutboundObject item, PostErrorCode code)
    {
        item.Transit.IsStopped = true;
        if (item.IsEnded || item.IsInGrace)
        {
            return;
        }

        switch (code)
        {
            case PostErrorCode.Duplicate:
                // It came another way, or over an earlier connection; the receipt for that is what counts.
                outbox.OnAllTaken(item);
                break;
            case PostErrorCode.Expired:
                outbox.End(item, ObjectOutcome.Expired, ObjectOutcomeReason.AtReceiver);
                break;
            case PostErrorCode.AntecedentExpired:
                outbox.End(item, ObjectOutcome.Expired, ObjectOutcomeReason.AntecedentExpired);
                break;
            case PostErrorCode.TooLarge:
                outbox.Reject(item, ObjectOutcomeReason.TooLarge, abandon: null);
                break;
            case PostErrorCode.ReceiverLimit:
                outbox.Reject(item, ObjectOutcomeReason.ReceiverLimit, abandon: null);
                break;
            default:
                outbox.Reject(item, ObjectOutcomeReason.Refused, AbandonReason.Canceled);
                break;
        }
    }
}
