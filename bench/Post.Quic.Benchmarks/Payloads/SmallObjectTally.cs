namespace Post.Quic.Benchmarks.Payloads;

/// <summary>Checks that each of the small objects that were sent comes as often as it was sent, and as it was sent.</summary>
/// <param name="objects">What is sent.</param>
/// <param name="count">How many will come: the first so many.</param>
internal sealed class SmallObjectTally(SmallObjects objects, int count)
{
    private readonly int _expected = count;
    private readonly int[] _counts = new int[objects.Count];
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _left = count;

    /// <summary>When all came; fails with the first one that is wrong or too many.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Takes an object. Several may be taken at the same time.</summary>
    public void Take(ReadOnlySpan<byte> bytes)
    {
        try
        {
            int number = objects.NumberOf(bytes);
            int expected = (_expected / objects.Count) + (number < _expected % objects.Count ? 1 : 0);
            if (Interlocked.Increment(ref _counts[number]) > expected)
            {
                throw new WrongBytesException($"Object {number} came more often than the {expected} times that it was sent.");
            }

            if (Interlocked.Decrement(ref _left) == 0)
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
