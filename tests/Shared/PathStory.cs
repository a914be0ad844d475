using Post.Sockets;

namespace Post.Tests;

/// <summary>Notes the path events of an association, and checks that they tell one story: each goes on where the one before it ended.</summary>
internal sealed class PathStory
{
    private readonly Lock _gate = new();
    private readonly List<PathsChanged> _events = [];
    private readonly IReadOnlyList<PostPath> _before;

    public PathStory(Association association)
    {
        _before = association.Paths;
        association.Register<PathsChanged>(Note);
    }

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _events.Count;
            }
        }
    }

    /// <summary>Fails where two events do not fit together.</summary>
    /// <param name="least">So many must have come.</param>
    public void Check(int least)
    {
        PathsChanged[] events;
        lock (_gate)
        {
            events = [.. _events];
        }

        Assert.IsGreaterThanOrEqualTo(least, events.Length);
        IReadOnlyList<PostPath> known = _before;
        for (int i = 0; i < events.Length; i++)
        {
            PathsChanged happened = events[i];
            string which = $"event {i} of {events.Length}: path {happened.Path.Id} {happened.Change}, {happened.Path.State}";
            bool wasKnown = known.Any(path => path.Id == happened.Path.Id);
            PostPath? now = happened.Paths.SingleOrDefault(path => path.Id == happened.Path.Id);
            Assert.AreEqual(happened.Change != PostPathChange.Added, wasKnown, $"{which}: whether it was known");
            Assert.AreEqual(happened.Change != PostPathChange.Removed, now is not null, $"{which}: whether it is there");
            if (now is null)
            {
                Assert.AreEqual(PostPathState.Removed, happened.Path.State, which);
            }
            else
            {
                Assert.AreEqual(happened.Path, now, which);
            }

            long[] others = [.. known.Select(static path => path.Id).Where(id => id != happened.Path.Id).Order()];
            CollectionAssert.AreEqual(
                others, happened.Paths.Select(static path => path.Id).Where(id => id != happened.Path.Id).Order().ToArray(), $"{which}: other paths came or went");
            Assert.IsLessThanOrEqualTo(1, happened.Paths.Count(static path => path.State == PostPathState.Active), $"{which}: two paths are in use");
            if (happened.Change == PostPathChange.StateChanged)
            {
                PostPath was = known.Single(path => path.Id == happened.Path.Id);
                Assert.AreNotEqual((was.State, was.LocalEndPoint, was.RemoteEndPoint), (now!.State, now.LocalEndPoint, now.RemoteEndPoint), $"{which}: nothing changed");
            }

            known = happened.Paths;
        }
    }

    private void Note(PathsChanged happened)
    {
        lock (_gate)
        {
            _events.Add(happened);
        }
    }
}
