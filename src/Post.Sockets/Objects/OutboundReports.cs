using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;

namespace Post.Sockets.Objects;

/// <summary>What the transport and the peer report of sent objects, and what follows for them.</summary>
internal sealed class OutboundReports(Outbox outbox, SendScheduler scheduler, TripTimes trips, ObjectEffects effects)
{
    /// <summary>The peer's transport has all of an object.</summary>
    public void OnTransportAcknowledged(OutboundObject item)
    {
        outbox.ReleaseCharge(item);
        if (!item.IsHandedOver)
        {
            return;
        }

        item.Transmission.IsAcknowledged = true;
        if (item.Reach(SentObjectState.TransportAcknowledged))
        {
            effects.TellState(item);
        }
    }

    /// <summary>All bytes of an object that was handed over in one call have left.</summary>
    public void OnStreamSent(long id)
    {
        if (outbox.TryFind(id, out var item) && item.Transmission.Form == TransmissionForm.WholeStream)
        {
            outbox.ReleaseCharge(item);
            item.Transmission.IsHeaderOut = true;
        }
    }

    /// <summary>The peer's transport has all of an object that was handed over in one call.</summary>
    public void OnStreamAcknowledged(long id)
    {
        if (outbox.TryFind(id, out var item) && item.Transmission is { Form: TransmissionForm.WholeStream, IsVoid: false })
        {
            OnTransportAcknowledged(item);
        }
    }

    /// <summary>The peer stopped the stream of an object that was handed over in one call.</summary>
    public void OnStreamStopped(long id, PostErrorCode code)
    {
        if (outbox.TryFind(id, out var item) && item.Transmission is { Form: TransmissionForm.WholeStream, IsVoid: false })
        {
            outbox.ReleaseCharge(item);
            OnStopped(item, code);
        }
    }

    /// <summary>Something became of the datagram of an object.</summary>
    public void OnDatagram(long id, DatagramReport report)
    {
        if (!outbox.TryFind(id, out var item) || item.Transmission.Form != TransmissionForm.Datagram)
        {
            return;
        }

        outbox.ReleaseCharge(item);
        switch (report)
        {
            case DatagramReport.Sent:
                item.Transmission.IsDatagramOut = true;
                break;
            case DatagramReport.Acknowledged:
                OnTransportAcknowledged(item);
                break;
            case DatagramReport.Overdue when MaySendAgain(item):
                // Certainty takes another round trip, which what perishes rarely has.
                item.Transmission.IsOverdue = true;
                scheduler.Add(item.Entry);
                break;
            case DatagramReport.Lost:
                OnDatagramLost(item);
                break;
            case DatagramReport.Canceled:
                OnDatagramCanceled(item);
                break;
        }
    }

    private static bool MaySendAgain(OutboundObject item) =>
        item is { Properties.Retransmit: true, IsInGrace: false, Transmission: { IsAcknowledged: false, IsOverdue: false } };

    private void OnDatagramLost(OutboundObject item)
    {
        if (item.Transmission.IsAcknowledged || item.Transmission.IsOverdue)
        {
            // It has arrived, or was sent again when this one was overdue: that one's fate is still to come.
            item.Transmission.IsOverdue = false;
        }
        else if (item.IsInGrace)
        {
            outbox.End(item, ObjectOutcome.Expired, ObjectOutcomeReason.InFlight, abandon: AbandonReason.Expired);
        }
        else if (!item.Properties.Retransmit)
        {
            outbox.End(item, ObjectOutcome.Expired, ObjectOutcomeReason.InFlight, abandon: AbandonReason.Lost);
        }
        else
        {
            // The same id again, while its lifetime allows: the receiver drops it if the first one came after all.
            scheduler.Add(item.Entry);
        }
    }

    private void OnDatagramCanceled(OutboundObject item)
    {
        // Offered as it was, what is given back unsent would come back for ever. Where its lifetime is over it ends, before any stream.
        item.Transmission.IsDatagramRefused = true;
        if (item.IsInGrace)
        {
            return;
        }

        if (!item.Transmission.IsDatagramOut)
        {
            // It never left: nothing of it was sent after all.
            item.Transmission.PayloadTaken = 0;
            item.Transmission.IsVisible = false;
            item.TakeBack();
        }

        scheduler.Add(item.Entry);
    }

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

            if (!item.IsKnownToReceiver)
            {
                return PostErrorCode.IdError;
            }

            if (item is { IsPerishable: true, IsHandedOver: true }
                && status is ReceiptStatus.Delivered or ReceiptStatus.Processed or ReceiptStatus.Expired)
            {
                trips.OnArrived(inTime: status != ReceiptStatus.Expired);
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
        item.Transmission.PayloadTaken = offset;
        if (item.Use == MemoryUse.Free)
        {
            scheduler.Add(item.Entry);
        }

        return PostErrorCode.NoError;
    }

    /// <summary>The peer stopped the stream of an object. Where it also gives a receipt, both say the same.</summary>
    public void OnStopped(OutboundObject item, PostErrorCode code)
    {
        item.Transmission.IsStopped = true;
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
