using Post.Sockets.Associations.Connections;
using Post.Sockets.Associations.Streams;
using Post.Sockets.Objects;
using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;

namespace Post.Sockets.Associations.Sending;

/// <summary>
/// Chooses what is sent next: the most urgent of what may go now, and ends on the way what could only go in vain. Everything happens under
/// the association's lock.
/// </summary>
internal sealed class SendChoice(AssociationCore core, OutboundFraming framing, StreamWrites writes)
{
    private const int LeastForecast = 8 * 1024;

    /// <summary>How much can leave in which time.</summary>
    public SendForecast Forecast { get; set; }

    /// <summary>Bytes that the transport may hold of all that is at least as urgent as what comes next.</summary>
    public long Window { get; set; } = 64 * 1024;

    /// <summary>What comes next over a connection, made ready as far as that can be done under the lock.</summary>
    public SendStep Decide(Carrier carrier, out OutboundObject? item, out StreamWrite? write, out int size)
    {
        item = null;
        write = null;
        size = 0;
        if (core.IsClosed || carrier.IsOver)
        {
            return SendStep.None;
        }

        var startedOnly = false;
        while (true)
        {
            var entry = core.Scheduler.Peek(startedOnly);
            if (entry is null)
            {
                return SendStep.None;
            }

            if (core.Scheduler.OutstandingUpTo(entry.Class) >= Window)
            {
                if (writes.Outstanding.TryDiscountStalled(Window))
                {
                    continue;
                }

                // What is less urgent has at least as much before it: nothing can go.
                return SendStep.None;
            }

            if (entry.Owner is StreamSender sender)
            {
                write = writes.PrepareStream(sender);
                return SendStep.Write;
            }

            item = (OutboundObject)entry.Owner;
            if (item.Transit.IsVoid)
            {
                // The lost connection still holds its bytes; it comes back when they are let go of.
                core.Scheduler.Remove(entry);
                continue;
            }

            if (EndIfHopeless(item))
            {
                continue;
            }

            if (!item.Transit.IsVisible && !carrier.IsHandshakeCompleted && !MayGoEarly(item))
            {
                core.Scheduler.Remove(entry);
                carrier.WaitForHandshake(item);
                continue;
            }

            if (item.IsDurable && !carrier.IsPeerKnown)
            {
                // Whether the receiver knows durable ids is told in its HELLO, and in no earlier one.
                core.Scheduler.Remove(entry);
                carrier.WaitForHello(item);
                continue;
            }

            if (!entry.IsStarted)
            {
                if (!core.Admission.TryShare(item) || !core.Admission.TryCountAsWaiting(item))
                {
                    continue;
                }

                if (item.Credit == 0 && !core.Admission.TryTakeCredit(item))
                {
                    startedOnly = true;
                    continue;
                }
            }

            if (framing.IsForDatagram(carrier, item, out size))
            {
                if (carrier.Datagrams.IsFull)
                {
                    return SendStep.None;
                }

                core.Scheduler.Serve(entry, size);
                item.IsWriting = true;
                return SendStep.Datagram;
            }

            if (item.Transit.Stream is null && carrier.Supply.IsWaiting)
            {
                if (entry.IsStarted)
                {
                    // A datagram that proved too large to be sent again as one.
                    core.Scheduler.Remove(entry);
                    carrier.Supply.Wait(item);
                }

                startedOnly = true;
                continue;
            }

            core.Scheduler.Remove(entry);
            item.IsWriting = true;
            if (item.Transit.Stream is null)
            {
                return SendStep.Open;
            }

            if (framing.Asks(item))
            {
                write = writes.PrepareQuestion(item);
                return SendStep.Write;
            }

            if (item.Source is not null)
            {
                return SendStep.Feed;
            }

            write = writes.PrepareMemory(item);
            return SendStep.Write;
        }
    }

    private bool EndIfHopeless(OutboundObject item)
    {
        if (Math.Max(item.Length ?? 0, item.Transit.PayloadTaken) > core.Peer.MaxObjectSize)
        {
            return core.Outbox.Reject(item, ObjectOutcomeReason.TooLarge, AbandonReason.Canceled);
        }

        if (item.Antecedents?.Length > core.Peer.MaxAntecedents && !item.Transit.IsVisible)
        {
            return core.Outbox.Reject(item, ObjectOutcomeReason.ReceiverLimit, AbandonReason.Canceled);
        }

        if (!item.IsPerishable)
        {
            return false;
        }

        var now = core.Clock.Now;
        if (now >= item.ExpiresAt)
        {
            return core.Outbox.End(item, ObjectOutcome.Expired, item.ReasonInTime, abandon: AbandonReason.Expired);
        }

        // Bytes that would arrive too late only delay those that would not: the last ones of a large object, too.
        var left = item.ExpiresAt - now;
        return (left <= core.Trips.OneWay || !CanStillArrive(item, left))
            && core.Outbox.End(item, ObjectOutcome.Expired, ObjectOutcomeReason.TooLate, abandon: AbandonReason.TooLate);
    }

    /// <summary>
    /// Whether all of an object that was not begun can arrive in the time. One that was begun is not judged: most of it may be out. Nor is one of a few
    /// packets, which keeps nobody waiting.
    /// </summary>
    private bool CanStillArrive(OutboundObject item, long time) =>
        item.Transit.IsVisible
        || item.Length - item.Transit.PayloadTaken is not { } rest
        || rest < LeastForecast
        || Forecast.CanLeave(
            core.Scheduler.OutstandingBefore(item.Entry) + writes.Outstanding.RestBefore(item.Entry) + rest, time - core.Trips.LongestWay);

    private static bool MayGoEarly(OutboundObject item) =>
        item is { Properties.SafeToReplay: true, IsDurable: false } && (item.Source is null || item.Source.CanGoBack);
}
