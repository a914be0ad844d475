using Post.Sockets.Associations;

namespace Post.Sockets.Objects;

/// <summary>Objects that the application never gets, or not whole: their memory is returned outside of the association's lock.</summary>
internal sealed class InboundDiscards(AssociationCore core)
{
    private readonly List<InboundObject> _items = [];

    /// <summary>Nobody reads into the object any more. Under the lock.</summary>
    public void Add(InboundObject item) => _items.Add(item);

    /// <summary>Returns the memory; run by the pump, outside the lock.</summary>
    public void Run()
    {
        InboundObject[] discarded;
        lock (core.Gate)
        {
            if (_items.Count == 0)
            {
                return;
            }

            discarded = [.. _items];
            _items.Clear();
        }

        foreach (var item in discarded)
        {
            if (item.IsHanded)
            {
                item.Pipe?.Writer.Complete(BrokenOff(item));
            }
            else
            {
                item.Discard(BrokenOff(item));
            }
        }
    }

    /// <summary>What the reader of an object gets that will not be whole.</summary>
    public static PostException BrokenOff(InboundObject item) => new(
        PostErrorReason.ObjectExpired, $"Object {item.Id} ended before all of it had arrived: it expired, or its sender took it back.");
}
