namespace Post.Quic.Benchmarks.Payloads;

/// <summary>Checks large objects as they arrive, byte by byte: the object numbered n holds the pattern from n on.</summary>
/// <param name="objects">How many will come.</param>
/// <param name="length">The bytes of each; null: unknown beforehand.</param>
internal sealed class PatternTally(int objects, long? length)
{
    private readonly long[] _offsets = new long[objects];
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _left = objects;
    private long _bytes;

    /// <summary>When the first bytes came.</summary>
    public Task Begun => _begun.Task;

    /// <summary>When all objects came whole; fails with the first byte that is not as it was sent.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Bytes that came.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Takes the next piece of an object. Pieces of different objects may come at the same time.</summary>
    public void Take(long number, ReadOnlySpan<byte> piece, bool isLast)
    {
        try
        {
            if (number < 0 || number >= _offsets.Length)
            {
                throw new WrongBytesException($"An object numbered {number} came, where {_offsets.Length} were sent.");
            }

            long offset = _offsets[number];
            if (!Pattern.Is(number + offset, piece))
            {
                throw new WrongBytesException($"Bytes of object {number} behind offset {offset} are not as they were sent.");
            }

            _offsets[number] = offset += piece.Length;
            if (length is { } whole && (offset > whole || (isLast && offset < whole)))
            {
                throw new WrongBytesException($"Object {number} has {offset} bytes in place of {whole}.");
            }

            Interlocked.Add(ref _bytes, piece.Length);
            _begun.TrySetResult();
            if (isLast && Interlocked.Decrement(ref _left) == 0)
            {
                _completion.TrySetResult();
            }
        }
        catch (WrongBytesException exception)
        {
            _completion.TrySetException(exception);
        }
    }
}
