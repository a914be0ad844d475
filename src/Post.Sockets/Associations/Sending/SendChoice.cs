using Post.Sockets.Associations.Connections;
using Post.Sockets.Associations.Ownership;
using Post.Sockets.Objects;
using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;

namespace Post.Sockets.Associations.Sending;

/// <summary>
/// Chooses what is sent next: the most urgent of what may go now, and ends on the way what could only go in vain. By the owner.
/// </summary>
internal sealed class SendChoice(AssociationState state, OutboundFraming framing, StreamWrites writes, StreamSupply supply)
{
    private const int LeastForecast = 8 * 1024;

    /// <summary>How much can leave in which time.</summary>
    public SendForecast Forecast { get; set; }

    /// <summary>Bytes that the transport may hold of all that is at least as urgent as what comes next.</summary>
    public long Window { get; set; } = 64 * 1024;

    /// <summary>What comes next over a connection: a step for an object, or for the entry of a stream.</summary>
    public SendStep Decide(PostConnection connection, out OutboundObject? item, out SendEntry? stream)
    {
        item = null;
        stream = null;
        if (state.IsClosed || connection.IsOver)
        {
            return SendStep.None;
        }

        // Objects that wait for something of the peer's keep back no others that are under way.
        var startedOnly = false;
        while (state.Scheduler.Peek(startedOnly) is { } entry)
        {
            if (!HasWindow(entry))
            {
                // What is less urgent has at least as much before it: nothing can go.
                return SendStep.None;
            }

            if (entry.Owner is not OutboundObject next)
            {
                stream = entry;
                return SendStep.WriteStream;
            }

            if (IsPutAside(connection, next) || EndIfHopeless(next) || !IsAdmitted(next, ref startedOnly))
            {
                continue;
            }

            item = next;
            var step = FormOf(connection, next);
            if (step == SendStep.Open && supply.IsWaiting)
            {
                if (entry.IsStarted)
                {
                    // A datagram that proved too large to be sent again as one.
                    state.Scheduler.Remove(entry);
                    supply.Wait(next);
                }

                startedOnly = true;
                continue;
            }

            if (step is SendStep.Ask or SendStep.Write or SendStep.Feed)
            {
                state.Scheduler.Remove(entry);
            }

            return step;
        }

        return SendStep.None;
    }

    /// <summary>Whether the transport may be given more of this class; looks for writes that stall for another reason than the network.</summary>
    private bool HasWindow(SendEntry entry)
    {
        while (state.Scheduler.OutstandingUpTo(entry.Class) >= Window)
        {
            if (!writes.Outstanding.TryDiscountStalled(Window))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Takes an object out that can only go after something has happened, which brings it back.</summary>
    private bool IsPutAside(PostConnection connection, OutboundObject item)
    {
        if (item.Transmission.IsVoid)
        {
            // The lost connection still holds its bytes.
            state.Scheduler.Remove(item.Entry);
            return true;
        }

        if (item.IsCancelRequested)
        {
            state.Outbox.OnCancelRequested(item);
            return true;
        }

        if (!item.Transmission.IsVisible && !connection.IsHandshakeCompleted && !MayGoEarly(item))
        {
            state.Scheduler.Remove(item.Entry);
            connection.WaitForHandshake(item);
            return true;
        }

        if (item.IsDurable && !connection.IsPeerKnown)
        {
            // Whether the receiver knows durable ids is told in its HELLO, and in no earlier one.
            state.Scheduler.Remove(item.Entry);
            connection.WaitForHello(item);
            return true;
        }

        return false;
    }

    /// <summary>Whether an object has, or gets now, what it needs before its first byte.</summary>
    private bool IsAdmitted(OutboundObject item, ref bool startedOnly)
    {
        if (item.Entry.IsStarted)
        {
            return true;
        }

        var admission = state.Outbox.Admission;
        if (!admission.TryShare(item) || !admission.TryCountAsWaiting(item))
        {
            return false;
        }

        if (item.Credit > 0 || admission.TryTakeCredit(item))
        {
            return true;
        }

        startedOnly = true;
        return false;
    }

    /// <summary>In which form an object goes on; <see cref="SendStep.None"/> where it waits for the transport to take more of that form.</summary>
    private SendStep FormOf(PostConnection connection, OutboundObject item)
    {
        if (framing.IsForDatagram(connection, item))
        {
            return connection.Capacity.IsFullOfDatagrams ? SendStep.None : SendStep.Datagram;
        }

        if (framing.IsForWholeStream(connection, item))
        {
            return connection.Capacity.IsFullOfStreams ? SendStep.None : SendStep.WholeStream;
        }

        if (item.Transmission.Stream is null)
        {
            return SendStep.Open;
        }

        return framing.Asks(item) ? SendStep.Ask : item.Source is not null ? SendStep.Feed : SendStep.Write;
    }

    private bool EndIfHopeless(OutboundObject item)
    {
        if (Math.Max(item.Length ?? 0, item.Transmission.PayloadTaken) > state.Peer.Hello.MaxObjectSize)
        {
            return state.Outbox.Reject(item, ObjectOutcomeReason.TooLarge, AbandonReason.Canceled);
        }

        if (item.Antecedents?.Length > state.Peer.Hello.MaxAntecedents && !item.Transmission.IsVisible)
        {
            return state.Outbox.Reject(item, ObjectOutcomeReason.ReceiverLimit, AbandonReason.Canceled);
        }

        if (!item.IsPerishable)
        {
            return false;
        }

        var now = state.Clock.Now;
        if (now >= item.ExpiresAt)
        {
            return state.Outbox.End(item, ObjectOutcome.Expired, item.ReasonInTime, abandon: AbandonReason.Expired);
        }

        // Bytes that would arrive too late only delay those that would not: the last ones of a large object, too.
        var left = item.ExpiresAt - now;
        return (left <= state.Trips.OneWay || !CanStillArrive(item, left))
            && state.Outbox.End(item, ObjectOutcome.Expired, ObjectOutcomeReason.TooLate, abandon: AbandonReason.TooLate);
    }

    /// <summary>
    /// Whether all that is left of an object can arrive in the time, begun or not: under a load that is too large, what is begun and does not get
    /// through takes the way from what would. One of a few packets is not judged, since it keeps nothing waiting.
    /// </summary>
    private bool CanStillArrive(OutboundObject item, long time) =>
        item.Length - item.Transmission.PayloadTaken is not { } rest
        || rest < LeastForecast
        || Forecast.CanLeave(
            state.Scheduler.OutstandingBefore(item.Entry) + writes.Outstanding.RestBefore(item.Entry) + rest,
            time - state.Trips.LongestWay,
            item.Transmission.IsVisible);

    private static bool MayGoEarly(OutboundObject item) =>
        item is { Properties.SafeToReplay: true, IsDurable: false } && (item.Source is null || item.Source.CanGoBack);
}
