using System.Runtime.InteropServices;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Streams;

namespace Post.Quic.Engine.Endpoint;

/// <summary>
/// Events that are raised together, and copies of their bytes. Batches and the blocks of their bytes come from pools for the process: a
/// connection has none while nothing happens.
/// </summary>
internal sealed class EventBatch
{
    /// <summary>One event alone is usual, and mostly small.</summary>
    private const int FirstBlock = 2048;

    private static readonly FreeList<EventBatch> Free = new(Limits.PooledEventBatches);
    private static readonly Lock FreeGate = new();

    private readonly List<ConnectionEvent> _events = new(4);
    private readonly List<byte[]> _blocks = new(1);
    private byte[] _block = [];
    private int _usedOfBlock;
    private int _bytes;

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
        foreach (byte[] block in batch._blocks)
        {
            BlockArrays.Return(block);
        }

        batch._blocks.Clear();
        batch._events.Clear();
        batch._block = [];
        batch._usedOfBlock = 0;
        batch._bytes = 0;
        if (batch._events.Capacity > Limits.WaitingEvents)
        {
            return;
        }

        lock (FreeGate)
        {
            Free.Give(batch);
        }
    }

    /// <summary>More can be noted without growing beyond what may wait.</summary>
    public bool HasRoomFor(int length) => _events.Count < Limits.WaitingEvents && length <= Limits.WaitingEventBytes - _bytes;

    public void Add(in ConnectionEvent item) => _events.Add(item);

    public void Add(in ConnectionEvent item, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _block.Length - _usedOfBlock)
        {
            _block = BlockArrays.Rent(Math.Max(_blocks.Count == 0 ? FirstBlock : BlockArrays.Largest, bytes.Length));
            _blocks.Add(_block);
            _usedOfBlock = 0;
        }

        bytes.CopyTo(_block.AsSpan(_usedOfBlock));
        _events.Add(item with { Subject = _block, Start = _usedOfBlock, Length = bytes.Length });
        _usedOfBlock += bytes.Length;
        _bytes += bytes.Length;
    }

    /// <summary>The bytes of an event that has some.</summary>
    public static ReadOnlySpan<byte> BytesOf(in ConnectionEvent item) =>
        item.Length == 0 ? default : ((byte[])item.Subject!).AsSpan(item.Start, item.Length);
}
