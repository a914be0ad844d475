using Post.Sockets.Associations;
using Post.Sockets.Scheduling;

namespace Post.Sockets.Objects;

/// <summary>
/// A sender that waits for room, with the object that it wants to send. The object comes in in its stead at the moment when there is room, so
/// nobody can take that from it.
/// </summary>
internal sealed class SendWaiter(
    AssociationCore core, ReadOnlyMemory<byte> memory, ObjectSource? source, ObjectProperties properties)
{
    private readonly TaskCompletionSource<OutboundObject> _completion = new(core.Continuations);
    private OutboundObject? _added;
    private Exception? _error;

    public ReadOnlyMemory<byte> Memory => memory;

    public ObjectSource? Source => source;

    public ObjectProperties Properties => properties;

    public int Niceness => properties.Niceness;

    public long HeldBytes { get; } = OutboundObject.HeldBytesOf(memory, source, properties);

    /// <summary>Completes with the object, once that is queued.</summary>
    public Task<OutboundObject> Completion => _completion.Task;

    private int Index { get; set; } = -1;

    /// <summary>The object came in.</summary>
    public void Grant(OutboundObject added) => _added = added;

    /// <summary>It cannot come in.</summary>
    public void Refuse(Exception error) => _error = error;

    /// <summary>Tells the sender, outside of the lock.</summary>
    public void Notify()
    {
        if (_error is null)
        {
            _completion.TrySetResult(_added!);
        }
        else
        {
            _completion.TrySetException(_error);
        }
    }

    /// <summary>The sender waits no more, unless the object came in before.</summary>
    public void Cancel(CancellationToken cancellationToken)
    {
        if (core.Outbox.StopWaiting(this))
        {
            core.Queue(new Work(() => _completion.TrySetCanceled(cancellationToken)));
        }
    }

    /// <summary>The place in the heap of senders, for the heap.</summary>
    internal readonly struct Slot : IHeapSlot<SendWaiter>
    {
        public static int Get(SendWaiter item) => item.Index;

        public static void Set(SendWaiter item, int index) => item.Index = index;
    }
}
