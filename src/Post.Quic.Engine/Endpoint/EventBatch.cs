using System.Runtime.InteropServices;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Streams;

namespace Post.Quic.Engine.Endpoint;

/// <summary>
/// Events that are raised together, and copies of their bytes. Batches come from one pool for the process: a connection has none while
/// nothing happens.
/// </summary>
internal sealed class EventBatch
{
    private const int FirstBytes = 2048;

    // What a burst needed is not kept for the many that are small.
    private const int LargestKeptBytes = 128 * 1024;
    private const int MostKeptEvents = 2048;

    private static readonly FreeList<EventBatch> Free = new(Limits.PooledEventBatches);
    private static readonly Lock FreeGate = new();

    private readonly List<ConnectionEvent> _events = new(4);
    private byte[] _bytes = [];
    private int _used;

    public ReadOnlySpan<ConnectionEvent> Events => CollectionsMarshal.AsSpan(_events);

    public static EventBatch Rent()
    {
        lock (FreeGate)
        {
            if (Free.Take() is { } kept)
            {
                return kept;
            }
        }

        return new EventBatch();
    }

    public static void Return(EventBatch batch)
    {
        batch._events.Clear();
        batch._used = 0;
        if (batch._bytes.Length > LargestKeptBytes || batch._events.Capacity > MostKeptEvents)
        {
            return;
        }

        lock (FreeGate)
        {
            Free.Give(batch);
        }
    }

    /// <summary>More can be noted without growing beyond what may wait.</summary>
    public bool HasRoomFor(int length) =>
        _events.Count < Limits.WaitingEvents && length <= Limits.WaitingEventBytes - _used;

    public void Add(in ConnectionEvent item) => _events.Add(item);

    public void Add(in ConnectionEvent item, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _bytes.Length - _used)
        {
            Array.Resize(ref _bytes, Math.Max(Math.Max(FirstBytes, _bytes.Length * 2), _used + bytes.Length));
        }

        bytes.CopyTo(_bytes.AsSpan(_used));
        _events.Add(item with { Start = _used, Length = bytes.Length });
        _used += bytes.Length;
    }

    public ReadOnlySpan<byte> BytesOf(in ConnectionEvent item) => _bytes.AsSpan(item.Start, item.Length);
}
