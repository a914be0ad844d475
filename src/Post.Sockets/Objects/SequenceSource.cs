using System.Buffers;

namespace Post.Sockets.Objects;

/// <summary>An object in several pieces of memory.</summary>
internal sealed class SequenceSource(ReadOnlySequence<byte> sequence) : ObjectSource
{
    private readonly ReadOnlySequence<byte> _whole = sequence;
    private ReadOnlySequence<byte> _rest = sequence;

    public override long? Length => _whole.Length;

    public override long HeldBytes => _whole.Length;

    public override long Position => _whole.Length - _rest.Length;

    public override bool CanGoBack => true;

    public override bool TryPeek(int limit, out ReadOnlyMemory<byte> chunk, out bool isLast)
    {
        chunk = _rest.First;
        while (chunk.IsEmpty && !_rest.IsEmpty)
        {
            _rest = _rest.Slice(_rest.GetPosition(0, _rest.Start));
            var position = _rest.Start;
            _ = _rest.TryGet(ref position, out chunk, advance: true);
            if (chunk.IsEmpty)
            {
                _rest = _rest.Slice(position);
            }
        }

        chunk = chunk.Length > limit ? chunk[..limit] : chunk;
        isLast = chunk.Length == _rest.Length;
        return true;
    }

    public override void Advance(int count) => _rest = _rest.Slice(count);

    public override void MoveTo(long offset) => _rest = _whole.Slice(offset);

    public override void Release(Exception? error)
    {
    }
}
