using System.Collections.Concurrent;
using Post.Sockets.Associations.Ownership;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Associations;

/// <summary>Who may use the state of an association: one thread at a time, and every message once and in order.</summary>
[TestClass]
public sealed class OwnerTests
{
    private const int Threads = 64;
    private const int Messages = 2000;

    [TestMethod]
    public void Of_64_threads_one_at_a_time_is_the_owner_and_does_every_message_in_the_order_of_its_sender()
    {
        var owned = new Owned();
        var owner = owned.Owner = new AssociationOwner(TransportDispatcher.ThreadPool, TaskCreationOptions.RunContinuationsAsynchronously, owned);
        var threads = Enumerable.Range(0, Threads).Select(number => new Thread(() =>
        {
            var random = new Random(number);
            for (var i = 0; i < Messages; i++)
            {
                var message = new Message(
                    static (target, sender, count) => ((Owned)target).Take((int)sender!, count), owned, number, i);
                switch (random.Next(4))
                {
                    case 0:
                        owner.Post(message);
                        break;
                    case 1:
                        owner.PostQuietly(message);
                        owner.Wake();
                        break;
                    case 2:
                        owner.PostQuietly(message);
                        owner.RunNow();
                        break;
                    default:
                        if (owner.EnterOrPost(message, isRunDue: true))
                        {
                            owned.Take(number, i);
                            owner.Leave(isRunDue: true);
                        }

                        break;
                }
            }
        })).ToArray();
        foreach (var thread in threads)
        {
            thread.Start();
        }

        foreach (var thread in threads)
        {
            thread.Join();
        }

        Assert.IsTrue(SpinWait.SpinUntil(() => Volatile.Read(ref owned.Taken) == Threads * Messages, TimeSpan.FromSeconds(30)), $"{owned.Taken}");
        Assert.IsEmpty(owned.Faults, owned.Faults.FirstOrDefault());
    }

    [TestMethod]
    public void What_is_left_while_the_owner_runs_is_done_before_it_leaves()
    {
        var owned = new Owned();
        var owner = owned.Owner = new AssociationOwner(TransportDispatcher.ThreadPool, TaskCreationOptions.None, owned);
        Assert.IsTrue(owner.TryEnter());
        owner.Post(new Message(static (target, _, count) => ((Owned)target).Take(0, count), owned, null, 0));
        Assert.AreEqual(0, owned.Taken);

        owner.Leave(isRunDue: false);

        Assert.AreEqual(1, owned.Taken);
        Assert.AreEqual(1, owned.Runs, "the message wanted a run");
        Assert.IsTrue(owner.TryEnter());
    }

    [TestMethod]
    public void A_caller_is_not_kept_by_messages_that_never_end()
    {
        var owned = new Owned();
        var work = new ConcurrentQueue<IThreadPoolWorkItem>();
        var owner = owned.Owner = new AssociationOwner(new Kept(work), TaskCreationOptions.None, owned);
        var count = 0;
        Message again = default;
        again = new Message((_, _, _) =>
        {
            count++;
            owner.Post(again);
        }, owned);

        owner.Post(again);

        Assert.IsLessThan(100, count);
        Assert.HasCount(1, work, "the dispatcher goes on");
        Assert.IsFalse(owner.TryEnter(), "the ownership goes with it");
        var before = count;
        work.Single().Execute();
        Assert.IsGreaterThan(before, count);
    }

    [TestMethod]
    public void What_a_message_throws_is_told_and_stops_nothing()
    {
        var owned = new Owned();
        var owner = owned.Owner = new AssociationOwner(TransportDispatcher.ThreadPool, TaskCreationOptions.None, owned);
        owner.Post(new Message(static (_, _, _) => throw new FormatException("a defect"), owned));
        Assert.AreEqual("a defect", owned.Faults.Single());
        Assert.IsTrue(owner.TryEnter());
    }

    [TestMethod]
    public async Task What_an_invocation_throws_comes_out_of_it_whoever_runs_it()
    {
        var owned = new Owned();
        var owner = owned.Owner = new AssociationOwner(TransportDispatcher.ThreadPool, TaskCreationOptions.RunContinuationsAsynchronously, owned);
        await Assert.ThrowsExactlyAsync<FormatException>(() => owner.InvokeAsync(static _ => throw new FormatException(), owned).AsTask());
        Assert.IsTrue(owner.TryEnter());
        var waiting = owner.InvokeAsync(static _ => throw new FormatException(), owned).AsTask();
        Assert.IsFalse(waiting.IsCompleted);
        owner.Leave(isRunDue: false);
        await Assert.ThrowsExactlyAsync<FormatException>(() => waiting);
        Assert.IsEmpty(owned.Faults);
    }

    private sealed class Owned : IOwned
    {
        private readonly Dictionary<int, long> _last = [];
        private int _inside;
        public int Taken;

        public AssociationOwner Owner { get; set; } = null!;

        public int Runs { get; private set; }

        public ConcurrentQueue<string> Faults { get; } = new();

        public void Take(int sender, long count)
        {
            Enter();
            if (_last.TryGetValue(sender, out var last) ? count != last + 1 : count != 0)
            {
                Faults.Enqueue($"{count} of {sender} comes after {last}");
            }

            _last[sender] = count;
            Volatile.Write(ref Taken, Taken + 1);
            Leave();
        }

        public void Run()
        {
            Enter();
            Runs++;
            Leave();
        }

        public void OnFailed(Exception exception) => Faults.Enqueue(exception.Message);

        private void Enter()
        {
            if (Interlocked.Increment(ref _inside) != 1)
            {
                Faults.Enqueue("two owners");
            }
        }

        private void Leave() => Interlocked.Decrement(ref _inside);
    }

    private sealed class Kept(ConcurrentQueue<IThreadPoolWorkItem> work) : TransportDispatcher
    {
        public override void Queue(IThreadPoolWorkItem item) => work.Enqueue(item);
    }
}
