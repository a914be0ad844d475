using System.Runtime.CompilerServices;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Paths;

/// <summary>
/// The challenges that came by one path and wait for their answer on it (RFC 9000 section 8.2.2). A few at most, the
/// newest kept, and an answer is never sent twice: challenges are the cheapest frame to flood with.
/// </summary>
internal struct PathResponses
{
    private Slots _slots;
    private int _first;

    public int Count { get; private set; }

    public void Add(ulong data)
    {
        if (Count == Limits.MaxPendingPathResponses)
        {
            _first = (_first + 1) % Limits.MaxPendingPathResponses;
            Count--;
        }

        _slots[(_first + Count++) % Limits.MaxPendingPathResponses] = data;
    }

    public bool TryWrite(ref WireWriter writer)
    {
        if (Count == 0 || writer.Remaining < PathResponseFrame.Length)
        {
            return false;
        }

        new PathResponseFrame(_slots[_first]).Write(ref writer);
        _first = (_first + 1) % Limits.MaxPendingPathResponses;
        Count--;
        return true;
    }

    public void Clear() => Count = 0;

    [InlineArray(Limits.MaxPendingPathResponses)]
    private struct Slots
    {
        private ulong _element0;
    }
}
