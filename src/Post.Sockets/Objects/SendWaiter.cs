using Post.Sockets.Scheduling;

namespace Post.Sockets.Objects;

/// <summary>
/// A sender that waits for room, with the object that it wants to send. The object comes in in its stead at the moment when there is room, so
/// no other can take that from it.
/// </summary>
internal sealed class SendWaiter(
    ReadOnlyMemory<byte> memory, ObjectSource? source, ObjectProperties properties, TaskCreationOptions continuations)
{
    private readonly TaskCompletionSource<OutboundObject> _completion = new(continuations);

    public ReadOnlyMemory<byte> Memory => memory;

    public ObjectSource? Source => source;

    public ObjectProperties Properties => properties;

    public int Niceness => properties.Niceness;

    public long HeldBytes { get; } = OutboundObject.HeldBytesOf(memory, source, properties);

    /// <summary>Completes with the object, once that is queued.</summary>
    public Task<OutboundObject> Completion => _completion.Task;

    private int Index { get; set; } = -1;

    /// <summary>The object came in.</summary>
    public void Grant(OutboundObject added) => _completion.TrySetResult(added);

    /// <summary>It cannot come in.</summary>
    public void Refuse(Exception error) => _completion.TrySetException(error);

    /// <summary>The sender waits no more, and the object did not come in.</summary>
    public void Cancel(CancellationToken cancellationToken) => _completion.TrySetCanceled(cancellationToken);

    /// <summary>The place in the heap of senders, for the heap.</summary>
    internal readonly struct Slot : IHeapSlot<SendWaiter>
    {
        public static int Get(SendWaiter item) => item.Index;

        public static void Set(SendWaiter item, int index) => item.Index = index;
    }
}
