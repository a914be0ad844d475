using Post.Sockets.Associations;
using Post.Sockets.Protocol;

namespace Post.Sockets.Objects;

/// <summary>The room that there is for objects to be sent, and who waits for it. Everything happens under the association's lock.</summary>
internal sealed class SendRoom(AssociationCore core)
{
    private readonly Queue<TaskCompletionSource> _waiters = new();

    /// <summary>Bytes accepted and not handed to the transport yet.</summary>
    public long QueuedBytes { get; private set; }

    /// <summary>Whether an object of so many bytes may come in.</summary>
    public bool Has(long length) =>
        core.Outbox.Count + core.Events.Backlog < core.Options.MaxQueuedObjects
        && (QueuedBytes == 0 || QueuedBytes + length <= core.Options.MaxQueuedBytes)
        && core.Outbox.NextId - core.Outbox.LowestId < ProtocolLimits.IdWindow;

    /// <summary>All bytes of an object are to be handed over, for the first time or once more.</summary>
    public void Queue(OutboundObject item, long bytes)
    {
        QueuedBytes += bytes - item.Queued;
        item.Queued = bytes;
    }

    /// <summary>Some bytes of an object were handed over, or never will be.</summary>
    public void Release(OutboundObject item, long bytes)
    {
        var queued = Math.Min(item.Queued, bytes);
        item.Queued -= queued;
        QueuedBytes -= queued;
    }

    /// <summary>Waits until there may be room for an object. Takes the lock.</summary>
    public Task WaitAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource waiter;
        lock (core.Gate)
        {
            core.ThrowIfNotSending();
            if (Has(0) && _waiters.Count == 0 && QueuedBytes == 0)
            {
                return Task.CompletedTask;
            }

            waiter = new TaskCompletionSource(core.Continuations);
            _waiters.Enqueue(waiter);
        }

        return waiter.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Those to be woken because there is room now, or never will be; outside the lock they are.</summary>
    public void CollectWaiters(List<TaskCompletionSource> woken)
    {
        // One for each place, so that a thousand waiters do not wake for one place; all when the association ends.
        var places = core.IsSending ? core.Options.MaxQueuedObjects - core.Outbox.Count : int.MaxValue;
        while (places-- > 0 && _waiters.Count > 0 && (!core.IsSending || Has(0)))
        {
            woken.Add(_waiters.Dequeue());
        }
    }
}
