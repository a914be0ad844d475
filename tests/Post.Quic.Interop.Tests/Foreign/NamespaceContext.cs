using System.Collections.Concurrent;

namespace Post.Quic.Interop.Tests.Foreign;

/// <summary>
/// Runs asynchronous code on the calling thread alone, whose network namespace sockets and processes are opened in. Code that leaves the
/// context by ConfigureAwait(false) opens none.
/// </summary>
internal sealed class NamespaceContext : SynchronizationContext
{
    private readonly BlockingCollection<(SendOrPostCallback Call, object? State)> _calls = [];

    public static void Run(Func<Task> code)
    {
        SynchronizationContext? before = Current;
        var context = new NamespaceContext();
        SetSynchronizationContext(context);
        try
        {
            Task task = code();
            task.ContinueWith(static (_, queue) => ((NamespaceContext)queue!)._calls.CompleteAdding(), context, TaskScheduler.Default);
            foreach ((SendOrPostCallback call, object? state) in context._calls.GetConsumingEnumerable())
            {
                call(state);
            }

            task.GetAwaiter().GetResult();
        }
        finally
        {
            SetSynchronizationContext(before);
        }
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        try
        {
            _calls.Add((d, state));
        }
        catch (InvalidOperationException)
        {
            // The code is over; whatever still comes, it does not wait for.
        }
    }
}
