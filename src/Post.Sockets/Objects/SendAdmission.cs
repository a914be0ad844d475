using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;

namespace Post.Sockets.Objects;

/// <summary>
/// What an object needs before its first byte may go: room in the receiver's budget, in the number of objects that wait there, and among
/// the large ones that share a class. What is taken here is given back at the object's end.
/// </summary>
internal sealed class SendAdmission(SendScheduler scheduler, PeerTerms peer)
{
    private readonly Queue<OutboundObject> _waitingParked = new();
    private int _waitingAtReceiver;

    /// <summary>Whether the receiver's budget has room for this object now; takes it if so.</summary>
    public bool TryTakeCredit(OutboundObject item)
    {
        var budget = peer.Hello.ReceiveBudget;
        var size = SizeOf(item);

        // Less urgent objects that hold credit do not keep an urgent one waiting: there is as much again for that, and no more.
        var used = scheduler.CreditUpTo(item.Entry.Class);
        var all = scheduler.CreditUpTo(int.MaxValue);
        if ((used > 0 && used + size > budget / 2) || (all > 0 && all + size > budget))
        {
            return false;
        }

        TakeCredit(item, size);
        return true;
    }

    /// <summary>The receiver holds part of an object already: it has what it needs there.</summary>
    public void Hold(OutboundObject item)
    {
        if (item.Credit == 0)
        {
            TakeCredit(item, SizeOf(item));
        }

        if (!item.CountsAsWaiting && MayWait(item))
        {
            _waitingAtReceiver++;
            item.CountsAsWaiting = true;
        }
    }

    /// <summary>Whether one more object may wait at the receiver for antecedents; parks it if not.</summary>
    public bool TryCountAsWaiting(OutboundObject item)
    {
        if (item.CountsAsWaiting || !MayWait(item))
        {
            return true;
        }

        if (_waitingAtReceiver >= peer.Hello.MaxWaiting)
        {
            scheduler.Remove(item.Entry);
            item.IsWaitingParked = true;
            _waitingParked.Enqueue(item);
            return false;
        }

        _waitingAtReceiver++;
        item.CountsAsWaiting = true;
        return true;
    }

    /// <summary>
    /// Whether a large object, one whose source is to be opened, or one that may have to wait for its receiver's word may begin to share its
    /// class now; parks it if not. So a queue of thousands of files opens few of them, and few streams, at a time.
    /// </summary>
    public bool TryShare(OutboundObject item)
    {
        var mayShare = item.IsDurable || (!item.IsPerishable && (item.IsLarge || item.Source is OpenedSource));
        if (!mayShare || item.SharingClass is not null)
        {
            return true;
        }

        var sendClass = scheduler.Class(item.Entry.Class);
        if (sendClass.Sharing >= SendScheduler.MaxSharing)
        {
            scheduler.Remove(item.Entry);
            item.Entry.IsParked = true;
            sendClass.Parked.Enqueue(item.Entry);
            return false;
        }

        sendClass.Sharing++;
        item.SharingClass = sendClass.Niceness;
        return true;
    }

    /// <summary>Gives back what the object took.</summary>
    public void Release(OutboundObject item)
    {
        StopSharing(item);
        StopWaiting(item);
        if (item.Credit > 0)
        {
            scheduler.ReleaseCredit(item.CreditClass, item.Credit);
            item.Credit = 0;
        }
    }

    /// <summary>The connection is lost: every object asks anew, but for those that the receiver says it holds.</summary>
    public void OnInterrupted(IEnumerable<OutboundObject> items)
    {
        _waitingParked.Clear();
        scheduler.ForgetParked();
        foreach (var item in items)
        {
            item.IsWaitingParked = false;
            item.Entry.IsParked = false;
            Release(item);
        }
    }

    /// <summary>An antecedent of a dependent has its end: one that was held back for it may go when it was the last.</summary>
    public void OnAntecedentEnded(OutboundObject dependent)
    {
        if (dependent is { IsWaitingParked: true, IsEnded: false } && !Array.Exists(dependent.Antecedents!, static a => !a.IsEnded))
        {
            // It will not have to wait at the receiver any more.
            dependent.IsWaitingParked = false;
            scheduler.Add(dependent.Entry);
        }
    }

    /// <summary>All of a large object was handed over: another one may share.</summary>
    public void StopSharing(OutboundObject item)
    {
        if (item.SharingClass is not { } niceness)
        {
            return;
        }

        item.SharingClass = null;
        var sendClass = scheduler.Class(niceness);
        sendClass.Sharing--;
        while (sendClass.Parked.TryDequeue(out var entry))
        {
            // One that has its end, or another class meanwhile, does not wait here any more.
            var next = (OutboundObject)entry.Owner;
            if (entry.IsParked && entry.Class == niceness && !next.IsEnded)
            {
                // The place is its own from now on: should it end before it uses it, the next one gets it.
                next.SharingClass = niceness;
                sendClass.Sharing++;
                entry.IsParked = false;
                scheduler.Add(entry);
                break;
            }
        }
    }

    private static bool MayWait(OutboundObject item) =>
        item.Antecedents is not null && Array.Exists(item.Antecedents, static a => a.Outcome != ObjectOutcome.Acked);

    private long SizeOf(OutboundObject item)
    {
        var budget = peer.Hello.ReceiveBudget;
        var size = Math.Min(item.Length ?? Math.Max(Outbox.LargeObject, Outbox.PipeBytes(budget)), long.MaxValue / 4) + Outbox.Overhead
            + item.Properties.Metadata.Length + item.Properties.DurableId.Length;

        // What is larger than half of the budget can only be taken incrementally, and then occupies little.
        return size > budget / 2 ? budget / 16 : size;
    }

    private void TakeCredit(OutboundObject item, long size)
    {
        item.Credit = size;
        item.CreditClass = item.Entry.Class;
        scheduler.Class(item.CreditClass).Credit += size;
    }

    private void StopWaiting(OutboundObject item)
    {
        if (!item.CountsAsWaiting)
        {
            return;
        }

        item.CountsAsWaiting = false;
        _waitingAtReceiver--;
        while (_waitingParked.TryDequeue(out var parked))
        {
            if (!parked.IsWaitingParked || parked.IsEnded)
            {
                continue;
            }

            parked.IsWaitingParked = false;
            scheduler.Add(parked.Entry);
            if (MayWait(parked))
            {
                // Likewise, the place is its own.
                parked.CountsAsWaiting = true;
                _waitingAtReceiver++;
                break;
            }
        }
    }
}
