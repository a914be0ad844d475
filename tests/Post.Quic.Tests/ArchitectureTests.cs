using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

namespace Post.Quic.Tests;

/// <summary>
/// Three floors, each knowing only the one below (docs/architecture.md). The built assemblies are read, and the
/// projects too: the compiler drops a reference that no code uses yet.
/// </summary>
[TestClass]
public sealed class ArchitectureTests
{
    private static readonly string[] Floors = ["Post.Sockets", "Post.Sockets.Testing", "Post.Quic.Engine", "Post.Quic", "Post.Quic.MsQuic"];

    [TestMethod]
    [DataRow("Post.Sockets", "Post.Sockets.Testing", "Post.Quic.Engine", "Post.Quic", "System.Net.Quic")]
    [DataRow("Post.Quic.Engine", "Post.Sockets", "Post.Sockets.Testing", "Post.Quic", "System.Net.Quic")]
    public void A_floor_never_reaches_where_it_must_not(string floor, params string[] forbidden)
    {
        string[] reached = [.. AssemblyReferences(floor).Concat(ProjectReferences(floor)).Distinct()];

        string[] wrong = [.. reached.Intersect(forbidden)];

        Assert.IsEmpty(wrong, $"{floor} references {string.Join(" and ", wrong)}: see docs/architecture.md for what each floor may know.");
    }

    [TestMethod]
    public void The_network_for_tests_stands_on_the_seam_alone()
    {
        CollectionAssert.AreEquivalent(new[] { "Post.Sockets" }, ProjectReferences("Post.Sockets.Testing").ToArray());
        string friends = File.ReadAllText(Path.Combine(RepositoryRoot(), "src", "Post.Sockets", "Post.Sockets.csproj"));
        Assert.DoesNotContain("InternalsVisibleTo Include=\"Post.Sockets.Testing\"", friends, "A transport of somebody else's could not see that.");
    }

    [TestMethod]
    public void Post_Quic_stands_on_both_floors()
    {
        string[] reached = [.. ProjectReferences("Post.Quic")];

        CollectionAssert.AreEquivalent(new[] { "Post.Sockets", "Post.Quic.Engine" }, reached);
    }

    [TestMethod]
    public void What_msquic_adds_is_a_package_that_Post_Quic_does_not_know()
    {
        CollectionAssert.AreEquivalent(new[] { "Post.Quic" }, ProjectReferences("Post.Quic.MsQuic").ToArray());
        foreach (string file in Directory.EnumerateFiles(Path.Combine(RepositoryRoot(), "src", "Post.Quic"), "*.cs", SearchOption.AllDirectories))
        {
            Assert.DoesNotContain("NonPublic", File.ReadAllText(file), $"{file} reaches for private members.");
        }
    }

    [TestMethod]
    public void Libraries_need_nothing_but_the_platform_and_its_extensions()
    {
        foreach (string floor in Floors)
        {
            string[] foreign =
            [
                .. AssemblyReferences(floor).Where(name =>
                    !name.StartsWith("System.", StringComparison.Ordinal)
                    && !name.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal)
                    && !name.StartsWith("Microsoft.Win32.", StringComparison.Ordinal)
                    && !Floors.Contains(name)),
            ];

            Assert.IsEmpty(foreign, $"{floor} references {string.Join(", ", foreign)}.");
        }
    }

    [TestMethod]
    [DataRow("Post.Quic.Engine")]
    [DataRow("Post.Sockets")]
    public void Rooms_know_each_other_in_one_direction(string floor)
    {
        string circle = Rooms.FindCircle(floor, Path.Combine(RepositoryRoot(), "src", floor));

        Assert.AreEqual(string.Empty, circle, "These rooms can reach each other; move what the lower one names to a room below both.");
    }

    [TestMethod]
    [DataRow("Objects")]
    [DataRow("Scheduling")]
    [DataRow("Protocol")]
    public void A_pure_room_of_Post_Sockets_knows_no_association_and_no_transport(string room)
    {
        foreach (string file in Directory.EnumerateFiles(Path.Combine(RepositoryRoot(), "src", "Post.Sockets", room), "*.cs"))
        {
            string text = File.ReadAllText(file);

            Assert.DoesNotContain("Associations", text, $"{Path.GetFileName(file)} must say what is to be done, and not do it.");
            Assert.DoesNotContain("Post.Sockets.Transport", text, $"{Path.GetFileName(file)} must not know what carries it.");
            Assert.DoesNotContain("Post.Sockets.Diagnostics", text, $"{Path.GetFileName(file)} must not tell anybody.");
        }
    }

    [TestMethod]
    public void A_name_of_a_type_has_one_meaning_in_all_libraries()
    {
        string[] twice =
        [
            .. Floors.SelectMany(TypeNames)
                .Distinct()
                .GroupBy(static name => name[(name.LastIndexOf('.') + 1)..])
                .Where(static group => group.Count() > 1)
                .Select(static group => string.Join(" and ", group)),
        ];

        Assert.IsEmpty(twice, $"Give one of each pair another name: {string.Join("; ", twice)}.");
    }

    [TestMethod]
    public void Every_folder_is_the_namespace_of_its_files()
    {
        foreach (string floor in Floors)
        {
            string root = Path.Combine(RepositoryRoot(), "src", floor);
            foreach (string file in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories))
            {
                string folder = Path.GetRelativePath(root, Path.GetDirectoryName(file)!);
                if (folder.StartsWith("obj", StringComparison.Ordinal) || folder.StartsWith("bin", StringComparison.Ordinal))
                {
                    continue;
                }

                string expected = folder == "." ? floor : $"{floor}.{folder.Replace(Path.DirectorySeparatorChar, '.')}";
                string? declared = File.ReadLines(file).FirstOrDefault(line => line.StartsWith("namespace ", StringComparison.Ordinal));

                Assert.IsTrue(
                    declared is null || declared == $"namespace {expected};" || expected.EndsWith(".DependencyInjection", StringComparison.Ordinal),
                    $"{Path.GetRelativePath(RepositoryRoot(), file)} declares '{declared}', its folder says '{expected}'.");
            }
        }
    }

    private static List<string> TypeNames(string floor)
    {
        using var reader = new PEReader(File.OpenRead(Path.Combine(AppContext.BaseDirectory, floor + ".dll")));
        MetadataReader metadata = reader.GetMetadataReader();
        return
        [
            .. metadata.TypeDefinitions
                .Select(metadata.GetTypeDefinition)
                .Where(type => !type.IsNested && metadata.GetString(type.Namespace).StartsWith("Post.", StringComparison.Ordinal))
                .Select(type => $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}")
                .Where(static name => !name.Contains('<', StringComparison.Ordinal)),
        ];
    }

    private static List<string> AssemblyReferences(string floor)
    {
        using var reader = new PEReader(File.OpenRead(Path.Combine(AppContext.BaseDirectory, floor + ".dll")));
        MetadataReader metadata = reader.GetMetadataReader();
        return [.. metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))];
    }

    private static IEnumerable<string> ProjectReferences(string floor) =>
        XDocument.Load(Path.Combine(RepositoryRoot(), "src", floor, floor + ".csproj"))
            .Descendants()
            .Where(element => element.Name.LocalName is "ProjectReference" or "Reference" or "PackageReference")
            .Select(element => (string?)element.Attribute("Include") ?? string.Empty)
            .Where(include => !include.StartsWith("Microsoft.", StringComparison.Ordinal))
            .Select(include => Path.GetFileNameWithoutExtension(include.EndsWith(".csproj", StringComparison.Ordinal) ? include : include + ".x"));

    private static string RepositoryRoot()
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Post.Quic.sln")))
        {
            directory = directory.Parent;
        }

        return directory?.FullName ?? throw new InvalidOperationException("The tests run outside of the repository.");
    }
}
