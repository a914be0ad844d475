using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;

namespace Post.Sockets.Objects;

/// <content>What arriving objects wait for, and how the end of one reaches those that wait for it.</content>
internal sealed partial class Inbox
{
    private readonly Dictionary<long, List<InboundObject>> _waitingFor = [];
    private readonly Stack<(long Id, bool Failed)> _resolving = new();
    private int _waiting;

    private bool LinkAntecedents(InboundObject item, ReadOnlySpan<long> antecedents, out PostErrorCode stop)
    {
        stop = PostErrorCode.NoError;
        List<long>? unresolved = null;
        foreach (var antecedent in antecedents)
        {
            if (!_ids.IsResolved(antecedent))
            {
                (unresolved ??= new List<long>(antecedents.Length)).Add(antecedent);
            }
            else if (item.RequiresAntecedents && HasFailed(antecedent))
            {
                stop = PostErrorCode.AntecedentExpired;
                Resolve(item.Id, failed: true, ReceiptStatus.AntecedentExpired, 0, item.WantsReceiptAtOnce);
                return false;
            }
        }

        if (unresolved is null)
        {
            WaitForHandlers(item, antecedents);
            return true;
        }

        if (_waiting >= _options.MaxWaitingObjects)
        {
            stop = PostErrorCode.ReceiverLimit;
            Resolve(item.Id, failed: true, ReceiptStatus.ReceiverLimit, 0, false);
            return false;
        }

        _waiting++;
        item.WaitsFor = unresolved;
        foreach (var antecedent in unresolved)
        {
            if (!_waitingFor.TryGetValue(antecedent, out var waiters))
            {
                _waitingFor.Add(antecedent, waiters = []);
            }

            waiters.Add(item);
        }

        WaitForHandlers(item, antecedents);
        PassUrgencyOn(item);
        return true;
    }

    /// <summary>The window forgets failures soon; their receipts are known for longer.</summary>
    private bool HasFailed(long id) =>
        _ids.IsFailed(id) || _receipts.Find(id) is not (null or ReceiptStatus.Delivered or ReceiptStatus.Processed or ReceiptStatus.Refused);

    private void PassUrgencyOn(InboundObject item)
    {
        var work = new Stack<InboundObject>();
        work.Push(item);
        while (work.TryPop(out var urgent))
        {
            if (urgent.WaitsFor is not { } waitsFor)
            {
                continue;
            }

            foreach (var id in waitsFor)
            {
                if (_arriving.TryGetValue(id, out var antecedent) && antecedent.Urgency > urgent.Urgency)
                {
                    antecedent.Urgency = urgent.Urgency;
                    Deliverable.Move(antecedent);
                    work.Push(antecedent);
                }
            }
        }
    }

    /// <summary>An id is through; and with it, maybe, what waited for it, and so on: by a list, since chains can be long.</summary>
    private void Resolve(long id, bool failed, ReceiptStatus? receipt, long bytes, bool immediately)
    {
        ResolveOne(id, failed, receipt, bytes, immediately);
        while (_resolving.TryPop(out var next))
        {
            if (!_waitingFor.Remove(next.Id, out var waiters))
            {
                continue;
            }

            foreach (var waiter in waiters)
            {
                OnAntecedentResolved(waiter, next.Id, next.Failed);
            }
        }
    }

    private void ResolveOne(long id, bool failed, ReceiptStatus? receipt, long bytes, bool immediately)
    {
        if (receipt is { } status)
        {
            _receipts.Give(status, id, bytes, immediately);
        }

        if (_arriving.Remove(id, out var item))
        {
            Unlink(item);
        }

        if (_ids.Resolve(id, failed))
        {
            _resolving.Push((id, failed));
        }
    }

    private void Unlink(InboundObject item)
    {
        if (item.WaitsFor is not { } waitsFor)
        {
            return;
        }

        item.WaitsFor = null;
        _waiting--;
        foreach (var antecedent in waitsFor)
        {
            if (_waitingFor.TryGetValue(antecedent, out var waiters) && waiters.Remove(item) && waiters.Count == 0)
            {
                _waitingFor.Remove(antecedent);
            }
        }
    }

    private void OnAntecedentResolved(InboundObject waiter, long antecedent, bool failed)
    {
        if (waiter.IsGone || waiter.WaitsFor is not { } waitsFor)
        {
            return;
        }

        waitsFor.Remove(antecedent);
        if (failed && waiter.RequiresAntecedents)
        {
            FailDependent(waiter);
            return;
        }

        WaitForHandler(waiter, antecedent);
        if (waitsFor.Count == 0)
        {
            waiter.WaitsFor = null;
            _waiting--;
            if (waiter.ExpiresAt == Clock.Never)
            {
                _timers.Cancel(waiter);
            }

            OfferIfReady(waiter);
        }
    }

    private void FailDependent(InboundObject item)
    {
        if (!LetGo(item, PostErrorCode.AntecedentExpired))
        {
            return;
        }

        item.HasReceipt = true;
        ResolveOne(item.Id, failed: true, ReceiptStatus.AntecedentExpired, item.Came, item.WantsReceiptAtOnce);
    }
}
