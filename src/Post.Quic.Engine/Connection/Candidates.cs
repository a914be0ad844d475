using Post.Quic.Engine.Lanes;
using Post.Quic.Engine.Paths;

namespace Post.Quic.Engine.Connection;

/// <summary>The paths that are in question for what is bound to a set of them: those of the best grade that any of them has.</summary>
/// <param name="Set">The set.</param>
/// <param name="Grade">The grade.</param>
/// <param name="IsPreferred">Only those that the set prefers.</param>
/// <param name="Count">How many they are.</param>
internal readonly record struct Candidates(PathSet Set, PathGrade Grade, bool IsPreferred, int Count)
{
    public static Candidates Of(PathSet set, ReadOnlySpan<Path> open)
    {
        if (set.Kind == PathSetKind.Preferring
            && Of(set, open, isPreferred: true) is { Count: > 0, Grade: PathGrade.Available or PathGrade.Backup } preferred)
        {
            return preferred;
        }

        return Of(set, open, isPreferred: false);
    }

    public bool Contains(Path path) =>
        path.Grade == Grade && Grade != PathGrade.None && (IsPreferred ? Set.Prefers(path.Id) : Set.Allows(path.Id));

    private static Candidates Of(PathSet set, ReadOnlySpan<Path> open, bool isPreferred)
    {
        PathGrade best = PathGrade.None;
        int count = 0;
        foreach (Path path in open)
        {
            PathGrade grade = path.Grade;
            if (grade > best || grade == PathGrade.None || !(isPreferred ? set.Prefers(path.Id) : set.Allows(path.Id)))
            {
                continue;
            }

            count = grade < best ? 1 : count + 1;
            best = grade;
        }

        return new Candidates(set, best, isPreferred, count);
    }
}
