namespace Post.Sockets.Transport;

/// <summary>
/// Where the work of associations runs, and with it the continuations of the tasks they hand out. Normally the thread
/// pool. A transport in virtual time replaces it with a queue that one thread drains between two moments of its clock,
/// so that "everything that can happen now has happened" is a fact and not a guess.
/// </summary>
/// <remarks>
/// Code on both sides of the seam that wants to be usable in virtual time awaits with <c>ConfigureAwait(false)</c>,
/// completes its task sources from work queued here (never under a lock) with synchronous continuations, and keeps away
/// from primitives that insist on the thread pool (<c>SemaphoreSlim.WaitAsync</c>, <c>RunContinuationsAsynchronously</c>,
/// <c>Task.Run</c>).
/// </remarks>
public abstract class TransportDispatcher
{
    /// <summary>The thread pool.</summary>
    public static TransportDispatcher ThreadPool { get; } = new ThreadPoolDispatcher();

    /// <summary>Queues work; it runs soon, never inside this call.</summary>
    /// <param name="work">The work. What it throws is a defect of the caller.</param>
    public abstract void Queue(IThreadPoolWorkItem work);

    private sealed class ThreadPoolDispatcher : TransportDispatcher
    {
        public override void Queue(IThreadPoolWorkItem work) =>
            System.Threading.ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: false);
    }
}
